/** Files that are no model's, or may run code when they are read: by their names. */

const PICKLE = /\.(?:bin|pt|pth|ckpt|pkl|pickle)$/i;
/** Files of a trainer (transformers, accelerate), not of a model. */
const OF_TRAINER =
  /^(?:training_args|optimizer|scheduler|sampler|scaler|rng_state|random_states|dl_state_dict|custom_checkpoint)[\w-]*\.\w+$/i;

/** Whether a file may be a model's weights as a pickle. */
export function isPickle(name: string): boolean {
  return PICKLE.test(name) && !isOfTrainer(name);
}

/** Whether a file is what a trainer keeps of itself. */
export function isOfTrainer(name: string): boolean {
  return OF_TRAINER.test(name);
}
