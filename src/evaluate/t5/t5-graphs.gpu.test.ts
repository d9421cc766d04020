/** T5's graphs and greedy decoding against transformers on tiny random models of uncommon settings. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type GoldenFile, parseGolden, floats } from '@/evaluate/golden/read-golden';
import { largestDifference, openProvider, PROVIDER_KINDS } from '@/evaluate/golden/providers';
import {
  goldenBytes,
  goldenJson,
  goldenWeights,
  intRows,
  type ProvidedWeights,
} from '@/evaluate/golden/t5';
import { buildT5EncoderGraph } from './t5-encoder';
import { createGraphSession, type Provider } from '@/evaluate/runtime/session';
import { batchByLength, encoderFeeds } from './t5-batches';
import { readT5Config, type T5Config } from './t5-config';
import { T5Runner } from './t5-runner';

/** Logits of these models reach 15; float32 leaves a few millionths of that (7e-5 was seen). */
const TOLERANCE = 2e-4;
const FILLER = -1;

interface Golden {
  readonly config: T5Config;
  readonly expected: GoldenFile;
  readonly inputs: Int32Array[];
  readonly weights: ProvidedWeights;
}

async function openGolden(name: string, provider: Provider): Promise<Golden> {
  const expected = parseGolden(await goldenBytes(`${name}/expected.safetensors`));
  const lengths = expected.tensors.get('lengths')!.data;
  return {
    config: readT5Config(await goldenJson(`${name}/config.json`)),
    expected,
    inputs: intRows(expected, 'input_ids').map((row, i) => row.slice(0, lengths[i])),
    weights: await goldenWeights(name, provider),
  };
}

describe.each(PROVIDER_KINDS)('T5 on %s', (kind) => {
  describe.each(['gated', 'relu', 'one-head'])('%s', (name) => {
    let provider: Provider;
    let golden: Golden;
    let runner: T5Runner;

    beforeAll(async () => {
      provider = await openProvider(kind);
      golden = await openGolden(name, provider);
      runner = new T5Runner(golden.config, provider);
      return () => {
        runner.dispose();
        golden.weights.dispose();
      };
    });

    it('encodes a padded batch as transformers does', async () => {
      const { config, inputs, expected, weights } = golden;
      const graph = buildT5EncoderGraph(config);
      const session = await createGraphSession(graph.model, provider);
      const [batch, ...others] = batchByLength(inputs, config);
      expect(others).toEqual([]);
      const own = new Map([...graph.weights.keys()].map((key) => [key, weights.tensors.get(key)!]));
      const feeds = new Map([...own, ...encoderFeeds(batch!, config)]);
      const hidden = await session.run(feeds, 'hidden');
      await session.release();
      const all = floats(expected, 'hidden');
      const rowLength = all.shape[1]! * all.shape[2]!;
      for (const [i, row] of batch!.rows.entries()) {
        // What stands on padding is never seen.
        const seen = batch!.lengths[i]! * all.shape[2]!;
        const made = hidden.subarray(i * rowLength, i * rowLength + seen);
        const wanted = all.data.subarray(row * rowLength, row * rowLength + seen);
        expect(largestDifference(made, wanted)).toBeLessThan(TOLERANCE);
      }
    });

    it('gives the logits of every step as transformers does', async () => {
      const { inputs, expected, weights, config } = golden;
      const given = intRows(expected, 'answer_ids');
      const all = floats(expected, 'logits');
      const [, stepCount] = all.shape as [number, number];
      let worst = 0;
      for (let step = 0; step < stepCount; step++) {
        const answers = given.map((row) => row.slice(0, step + 1));
        const made = await runner.nextLogits({ weights, inputs, answers });
        const wanted = inputs.flatMap((_, row) => {
          const from = (row * stepCount + step) * config.vocabularySize;
          return [...all.data.subarray(from, from + config.vocabularySize)];
        });
        worst = Math.max(worst, largestDifference(made, wanted));
      }
      expect(worst).toBeLessThan(TOLERANCE);
    });

    it("generates transformers' ids, up to the end token and up to the limit", async () => {
      const { inputs, expected, weights } = golden;
      const wanted = intRows(expected, 'generated').map((row) => row.filter((id) => id !== FILLER));
      const maxNewTokens = Math.max(...wanted.map((row) => row.length));
      expect(Math.min(...wanted.map((row) => row.length))).toBeLessThan(maxNewTokens);
      expect(await runner.generate({ weights, inputs, maxNewTokens })).toEqual(wanted);
      const cut = await runner.generate({ weights, inputs, maxNewTokens: 2 });
      expect(cut).toEqual(wanted.map((row) => row.slice(0, 2)));
      expect(runner.gpuBytes).toBe(0);
    });
  });
});
