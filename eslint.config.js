// Lint rules: strict types, one-way imports between folders, one door per side effect.
import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Which folders of src/ each folder may import (docs/ARCHITECTURE.md, "Who may import whom"). */
const MAY_IMPORT = {
  core: [],
  tensor: ['core'],
  codecs: ['tensor'],
  reference: ['codecs', 'tensor', 'core'],
  processor: ['codecs', 'tensor', 'core'],
  gpu: ['tensor', 'core'],
  kernels: ['gpu', 'codecs', 'tensor', 'core'],
  formats: ['codecs', 'tensor', 'core'],
  hub: ['formats', 'tensor', 'core'],
  methods: ['tensor'],
  recipe: ['methods', 'codecs', 'tensor', 'core'],
  plan: ['formats', 'tensor', 'core'],
  evaluate: ['tensor', 'core'],
  export: ['recipe', 'methods', 'formats', 'codecs', 'tensor', 'core'],
  protocol: ['export', 'plan', 'recipe', 'formats', 'tensor', 'core'],
  sources: ['protocol', 'plan', 'recipe', 'methods', 'hub', 'formats', 'tensor', 'core'],
  datasets: ['sources', 'hub', 'formats', 'tensor', 'core'],
  jobs: [
    'protocol',
    'sources',
    'datasets',
    'hub',
    'evaluate',
    'export',
    'plan',
    'recipe',
    'methods',
    'formats',
    'codecs',
    'tensor',
    'core',
  ],
  platform: [
    'jobs',
    'evaluate',
    'kernels',
    'processor',
    'gpu',
    'protocol',
    'export',
    'hub',
    'tensor',
    'core',
  ],
  worker: ['jobs', 'platform', 'protocol', 'core'],
  store: [
    'protocol',
    'platform',
    'sources',
    'hub',
    'export',
    'plan',
    'recipe',
    'methods',
    'formats',
    'codecs',
    'tensor',
    'core',
  ],
  ui: ['store', 'recipe', 'methods', 'codecs'],
};

const zones = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [folder, ...allowed].map((name) => `./${name}`),
  message: `src/${folder} may import only: ${[folder, ...allowed].join(', ')}.`,
}));

const FETCH_DOOR = { name: 'fetch', message: 'Only src/hub and src/sources talk to the network.' };
const STORAGE_DOORS = ['localStorage', 'sessionStorage', 'indexedDB', 'caches'].map((name) => ({
  name,
  message: 'Only src/platform touches storage.',
}));
const GPU_DOOR = {
  object: 'navigator',
  property: 'gpu',
  message: 'Only src/gpu asks for a GPU.',
};
/** Code that runs when its module is loaded, which every browser must survive. */
const AT_LOAD = ':not(:function *)';
/**
 * GPUBufferUsage and its kin, as values: in a browser without WebGPU there is nothing of that name.
 * Types are written with the same identifiers, but are gone when the code runs.
 */
const GPU_GLOBALS_AT_LOAD = [
  `Identifier[name=/^GPU[A-Z]/]${AT_LOAD}:not(TSTypeReference *, TSTypeQuery *, TSInterfaceHeritage *)`,
  `MemberExpression[object.name="navigator"][property.name="gpu"]${AT_LOAD}`,
].map((selector) => ({
  selector,
  message: 'Not every browser has WebGPU: read this inside a function, not when the module loads.',
}));

export default tseslint.config(
  {
    ignores: [
      'dist*',
      'coverage',
      'test-results',
      'playwright-report',
      'public',
      'src/evaluate/onnx/onnx_pb.ts',
      // AssemblyScript, which its own compiler checks.
      'src/processor/simd/assembly',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { projectService: { allowDefaultProject: ['*.js'] } },
    },
    plugins: { 'import-x': importX, 'react-hooks': reactHooks },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-restricted-paths': ['error', { zones }],
      'no-restricted-globals': ['error', FETCH_DOOR, ...STORAGE_DOORS],
      'no-restricted-properties': ['error', GPU_DOOR],
      'no-restricted-syntax': ['error', ...GPU_GLOBALS_AT_LOAD],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    // Reads inside a typed array's bounds are the norm in numeric code; `!` keeps them legible.
    files: [
      'src/{core,tensor,codecs,formats,hub,datasets,reference,gpu,kernels,methods,recipe,evaluate}/**',
      'src/processor/**',
      'src/{export,plan,protocol,sources,jobs,platform,worker}/**',
      'bench/**',
    ],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['src/{hub,sources}/**'],
    rules: { 'no-restricted-globals': ['error', ...STORAGE_DOORS] },
  },
  { files: ['src/platform/**'], rules: { 'no-restricted-globals': ['error', FETCH_DOOR] } },
  { files: ['src/gpu/**'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['**/*.{test,fixture}.ts', 'src/**/golden/**', 'e2e/**', 'bench/**'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': [
        'error',
        {
          object: 'vi',
          property: 'mock',
          message: 'Unit tests share their modules: hand parts over, or stub what the machine has.',
        },
      ],
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'import-x/no-restricted-paths': 'off',
      // Playwright's fixtures call their continuation `use`.
      'react-hooks/rules-of-hooks': 'off',
    },
  },
  { files: ['*.ts', '*.js', '**/*.d.ts'], rules: { 'import-x/no-default-export': 'off' } },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { ...globals.node } },
    rules: { 'no-console': 'off', 'no-restricted-globals': 'off' },
  },
);
