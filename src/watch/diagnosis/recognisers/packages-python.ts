import { always, type Recogniser } from '../recogniser.ts'

const BUILD = ['build'] as const

/** Dependencies with pip, Poetry and uv. */
export const PYTHON_PACKAGE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'pip/no-such-version',
    tool: 'pip',
    in: BUILD,
    pattern: /^ERROR: No matching distribution found for (?<package>.+)$/,
    cause: ({ groups }) => `pip finds no distribution for ${groups.package}`,
    hint: always(
      'Correct the name or version in requirements.txt, and check that it supports the Python version used.',
    ),
  },
  {
    name: 'pip/conflict',
    tool: 'pip',
    in: BUILD,
    pattern:
      /^ERROR: (?:Cannot install (?<packages>.+) because these package versions have conflicting|ResolutionImpossible)/,
    cause: ({ find }) => {
      const needs = find(/^\s+(?<package>\S+ \S+) depends on (?<needs>.+)$/, 12)
      return needs === undefined
        ? 'pip cannot satisfy all requirements at once'
        : `pip cannot satisfy all requirements at once: ${needs.package} depends on ${needs.needs}`
    },
    hint: always('Loosen one of the pinned versions so that all of them go together.'),
  },
  {
    name: 'pip/no-requirements',
    tool: 'pip',
    in: BUILD,
    pattern: /Could not open requirements file: .*'(?<file>[^']+)'/,
    cause: ({ groups }) => `pip finds no ${groups.file}`,
    hint: always('Commit the file, or point `root-directory` at the folder which has it.'),
  },
  {
    name: 'pip/build-failed',
    tool: 'pip',
    in: BUILD,
    pattern: /^× (?<step>.+) did not run successfully\.$|^ERROR: Failed building wheel for (?<package>\S+)/,
    cause: ({ groups }) =>
      groups.package === undefined
        ? `pip could not build a package: “${groups.step}” failed`
        : `pip could not build ${groups.package}`,
    hint: always('Use a version with a ready-made wheel for this Python version, or install what its build needs.'),
  },
  {
    name: 'poetry/lock-out-of-step',
    tool: 'Poetry',
    in: BUILD,
    pattern:
      /pyproject\.toml changed significantly since poetry\.lock|poetry\.lock is not up to date with pyproject\.toml/,
    cause: always('poetry.lock does not match pyproject.toml'),
    hint: always('Run `poetry lock` and commit poetry.lock.'),
  },
  {
    name: 'poetry/cannot-resolve',
    tool: 'Poetry',
    in: BUILD,
    pattern: /^(?<reason>Because .+), version solving failed\.?$|version solving failed/,
    cause: ({ groups }) =>
      `Poetry cannot resolve the dependencies${groups.reason === undefined ? '' : `: ${groups.reason}`}`,
    hint: always('Correct the constraint in pyproject.toml, then run `poetry lock` and commit the result.'),
  },
  {
    name: 'uv/lock-out-of-step',
    tool: 'uv',
    in: BUILD,
    pattern: /lockfile at `?uv\.lock`? needs to be updated|Unable to find lockfile at `?uv\.lock/,
    cause: ({ line }) =>
      line.includes('Unable')
        ? 'uv found no uv.lock, but was told to install from it'
        : 'uv.lock does not match pyproject.toml',
    hint: always('Run `uv lock` and commit uv.lock.'),
  },
  {
    name: 'uv/cannot-resolve',
    tool: 'uv',
    in: BUILD,
    pattern: /No solution found when resolving dependencies/,
    cause: ({ find }) => {
      const reason = find(/Because (?<reason>.+?)(?: and your project|,|$)/, 6)?.reason
      return `uv cannot resolve the dependencies${reason === undefined ? '' : `: ${reason}`}`
    },
    hint: always('Correct the constraint in pyproject.toml, then run `uv lock` and commit the result.'),
  },
]
