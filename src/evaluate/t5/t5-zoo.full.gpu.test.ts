/** A part of the text zoo's test rows with onnxruntime's webgpu provider. */
import { testZooAnswers } from '@/evaluate/golden/t5-zoo-suite';

testZooAnswers('webgpu');
