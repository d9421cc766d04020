/** What only LoRA files need of the page: one part of its script. */
export { LoraFilesPanel } from './lora-files-panel';
export { LoraMakeControls, LoraWriteControls } from './lora-controls';
export { LoraSpectra } from './lora-spectra';
export { LoraStory } from './lora-story';
export { OverlapPanel } from './overlap-panel';
