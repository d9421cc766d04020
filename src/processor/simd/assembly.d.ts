/** AssemblyScript as wasm, in base64: scripts/assembly-plugin.mjs. */
declare module '*.ts?assembly' {
  const base64: string;
  export default base64;
}
