import js from '@eslint/js';
import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const pureLayer = 'core/ is pure: time and data arrive as arguments, the world is in io/.';

// What a program can do to the world, or learn from it, without an import.
const worldlyGlobals = [
  ...[
    'globalThis',
    'global',
    'process',
    'Buffer',
    'navigator',
    'require',
    'module',
    '__dirname',
    '__filename',
  ],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
  ...['queueMicrotask', 'performance', 'crypto', 'console', 'fetch', 'WebSocket', 'BroadcastChannel'],
];
const worldlyModules = [
  ...builtinModules.filter((name) => /^[a-z]\w*$/.test(name)),
  ...['execa', 'chokidar', 'node-cron', 'commander', '@commander-js'],
];

/** The folders of core/ from the ground up; beside and below them are the files of core/ itself. */
const coreFloors = [
  ['kernel-lines'],
  ['config', 'console', 'host', 'qmp', 'ssh'],
  ['capture', 'dump', 'journal', 'memory'],
  ['analysis'],
  ['report'],
  ['watch'],
];

const pureImports = [
  { regex: `^(node:|(${worldlyModules.join('|')})(/|$))`, message: pureLayer },
  { regex: '(^|/)(io|cli|daemon|guest)(/|$)', message: pureLayer },
];

/** What a part of core/ may not import: what stands beside it and above. */
const corePart = (path, others) => ({
  files: [`src/core/${path}.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...pureImports,
          {
            regex: `^\\.{1,2}/(.*/)?(${others.join('|')})/`,
            message: `core/ is built in floors: what stands beside or above may not be imported (${others.join(', ')}).`,
          },
        ],
      },
    ],
  },
});
const coreParts = [
  corePart('*', coreFloors.flat()),
  ...coreFloors.flatMap((floor, height) =>
    floor.flatMap((folder) => {
      const others = coreFloors.slice(height).flat();
      const closed = others.filter((other) => other !== folder);
      return closed.length === 0 ? [] : [corePart(`${folder}/**/*`, closed)];
    }),
  ),
];

/** What a layer may not import. */
const layer = (name, others) => ({
  files: [`src/${name}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { regex: `(^|/)(${others.join('|')})/`, message: `${name}/ may not import ${others.join(', ')}.` },
        ],
      },
    ],
  },
});

export default tseslint.config(
  { ignores: ['dist', 'node_modules'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] } } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 16],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/core/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': ['error', { patterns: pureImports }],
      'no-restricted-globals': ['error', ...worldlyGlobals.map((name) => ({ name, message: pureLayer }))],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: pureLayer },
        { object: 'Math', property: 'random', message: pureLayer },
        { object: 'AbortSignal', property: 'timeout', message: pureLayer },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: pureLayer },
        { selector: "CallExpression[callee.name='Date']", message: pureLayer },
        {
          selector: 'ImportExpression, TSImportType, TSImportEqualsDeclaration, MetaProperty',
          message: pureLayer,
        },
        {
          selector: "TSTypeReference > Identifier[name='Buffer'], TSQualifiedName[left.name='NodeJS']",
          message: pureLayer,
        },
      ],
    },
  },
  ...coreParts,
  layer('io', ['daemon', 'guest', 'cli']),
  layer('guest', ['daemon', 'cli']),
  layer('daemon', ['guest', 'cli']),
  {
    files: ['test/**', 'bench/**'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  // A table is as long as what it knows.
  {
    files: [
      'src/core/subsystems.ts',
      'src/core/kernel-lines/devices.ts',
      'src/core/watch/case/doubts.ts',
      'test/world/matrix/scenarios.ts',
      'bench/faults/table.mjs',
    ],
    rules: { 'max-lines': 'off' },
  },
  { files: ['*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
