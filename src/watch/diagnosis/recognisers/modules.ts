import { always, type Recogniser } from '../recogniser.ts'

const BOTH = ['runtime', 'build'] as const
const PACKAGE_HINT = always(
  'Add it to `dependencies` in package.json (devDependencies may be left out of the image) and commit the lock file.',
)
const FILE_HINT = always(
  'Check the path and its upper and lower case (Linux tells them apart), and whether the file is committed or written by the build.',
)

/** Modules that are not there when the application starts, or when its build runs its own code. */
export const MODULE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'modules/node-package',
    tool: 'Node.js',
    in: BOTH,
    pattern: /Cannot find (?:module '(?<cjs>[^'./][^']*)'|package '(?<esm>[^']+)' imported from)/,
    cause: ({ groups }) => `Node.js cannot find the package ${groups.cjs ?? groups.esm}`,
    hint: PACKAGE_HINT,
  },
  {
    name: 'modules/node-file',
    tool: 'Node.js',
    in: BOTH,
    pattern: /Cannot find module '(?<path>\.{0,2}\/[^']+)'/,
    cause: ({ groups }) => `Node.js cannot find the file ${groups.path?.replace(/^\/app\//, '')}`,
    hint: FILE_HINT,
  },
  {
    name: 'modules/require-in-esm',
    tool: 'Node.js',
    in: BOTH,
    pattern:
      /ReferenceError: (?<what>require|module|exports|__dirname|__filename) is not defined in ES module scope|ERR_REQUIRE_ESM|SyntaxError: Cannot use import statement outside a module/,
    cause: always('CommonJS and ES modules are mixed'),
    hint: always(
      'Use import and export throughout, name CommonJS files .cjs, or take `"type": "module"` out of package.json.',
    ),
  },
  {
    name: 'modules/python',
    tool: 'Python',
    in: BOTH,
    pattern:
      /(?:ModuleNotFoundError|ImportError): (?:No module named '(?<module>[^']+)'|cannot import name '(?<name>[^']+)' from '(?<from>[^']+)')/,
    last: true,
    cause: ({ groups }) =>
      groups.module === undefined
        ? `Python cannot import ${groups.name} from ${groups.from}`
        : `Python cannot find the module ${groups.module}`,
    hint: always(
      'Add the package to requirements.txt or pyproject.toml (its name may differ from the module’s), or correct the import or `start-command`.',
    ),
  },
  {
    name: 'modules/python-application',
    tool: 'Python',
    in: BOTH,
    pattern:
      /Error loading ASGI app\. (?<message>.+)$|Failed to find attribute '(?<attribute>[^']+)' in '(?<module>[^']+)'/,
    cause: ({ groups }) =>
      `The web server cannot load the application: ${groups.message ?? `${groups.module} has no ${groups.attribute}`}`,
    hint: always('Correct `module:attribute` in `start-command`.'),
  },
  {
    name: 'modules/ruby',
    tool: 'Ruby',
    in: BOTH,
    pattern: /cannot load such file -- (?<file>\S+) \(LoadError\)/,
    cause: ({ groups }) => `Ruby cannot load ${groups.file}`,
    hint: always('Add the gem to the Gemfile and commit Gemfile.lock, or correct the path.'),
  },
  {
    name: 'modules/java',
    tool: 'Java',
    in: BOTH,
    pattern:
      /(?:ClassNotFoundException|NoClassDefFoundError): (?<class>\S+)|Could not find or load main class (?<main>\S+)/,
    cause: ({ groups }) => `Java cannot find the class ${groups.class ?? groups.main}`,
    hint: always(
      'Correct the main class or the class path in `start-command`, or build a jar that contains its dependencies.',
    ),
  },
  {
    name: 'modules/next-not-built',
    tool: 'Next.js',
    in: BOTH,
    pattern: /Could not find a production build in the|ENOENT: no such file or directory, open '[^']*\/\.next\//,
    cause: always('next start finds no build'),
    hint: always('Set `build-command` to `next build` (or add a build script to package.json).'),
  },
]
