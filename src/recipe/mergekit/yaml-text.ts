/** Scalars of YAML that YAML 1.1 readers (PyYAML) and 1.2 readers understand alike. */

/** Words without a meaning of their own: letters first, then what names of models hold. */
const PLAIN = /^[A-Za-z][\w.-]*(?:\/[\w.-]+)?(?:@[0-9a-f]{40})?$/;
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
/** What JSON leaves as it is and YAML does not take inside quotes. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu;

/** A text, in double quotes unless it is a plain word. */
export function yamlText(text: string): string {
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A finite number, always with a point: PyYAML takes `1` for an integer and `1e-7` for a text. */
export function yamlNumber(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e');
  const withPoint = mantissa.includes('.') ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? withPoint : `${withPoint}e${exponent}`;
}

/** A comment of one line: nothing in it can end it. */
export function yamlComment(text: string): string {
  return `# ${text.replace(/[\p{Cc}\u2028\u2029\ufeff]+/gu, ' ')}`;
}
