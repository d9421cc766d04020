/** Groups of public checkpoints that the page offers by name. Data only. */
export { type Preset, PRESETS } from './presets';
