/** Before the kernel tests in Node: what a browser has of WebGPU, by Dawn. */
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
// Node 20 lacks Float16Array, which webgpu-utils names at import and the kernels never use.
if (!('Float16Array' in globalThis)) Object.assign(globalThis, { Float16Array: Uint16Array });
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) } });
