// Lines that benches print: records among them (record.ts) go to the file of --json.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

export class Records {
  #all = [];

  /** Prints a line, or keeps it where it is a record. */
  take(line) {
    if (line.startsWith('{')) this.#all.push(JSON.parse(line));
    else console.log(line);
  }

  /**
   * @param {string} text lines of a program that has ended
   * @returns the last record so far
   */
  takeAll(text) {
    for (const line of text.split('\n').filter((line) => line !== '')) this.take(line);
    return this.#all.at(-1);
  }

  /** @param {string} path of the JSON file: the machine, and one record a measurement */
  write(path) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() };
    writeFileSync(path, `${JSON.stringify({ machine, records: this.#all }, null, 2)}\n`);
  }
}
