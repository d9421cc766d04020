// Prints the adapter that Dawn in Node finds, in a process of its own: drivers are chosen by its
// environment, and are kept once they are loaded. Exit status 1: none.
import { create } from 'webgpu';

const adapter = await create([]).requestAdapter();
if (adapter !== null) console.log(adapter.info.description);
process.exit(adapter === null ? 1 : 0);
