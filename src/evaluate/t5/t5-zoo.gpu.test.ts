/** The evaluator against transformers on the embedded text zoo, with the wasm provider. */
import { testZooAnswers } from '@/evaluate/golden/t5-zoo-suite';

testZooAnswers('wasm');
