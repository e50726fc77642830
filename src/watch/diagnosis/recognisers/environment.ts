import type { Match, Recogniser } from '../recogniser.ts'

const BOTH = ['runtime', 'build'] as const
const NAME = '(?<name>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{3,})'

function variableOf({ groups }: Match): string | undefined {
  return (groups.name ?? groups.name2)?.toUpperCase().replace(/\W/g, '_')
}

const hint = (match: Match): string => {
  const name = variableOf(match) ?? 'NAME'
  return `Set it with the \`env\` input (\`${name}=\${{ secrets.${name} }}\`), or with \`preview-env\` or \`production-env\` when it differs.`
}

const cause = (match: Match): string => {
  const name = variableOf(match)
  return name === undefined ? 'An environment variable is missing' : `The environment variable ${name} is missing`
}

/** Environment variables that the application wants and does not get. */
export const ENVIRONMENT_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'environment/said-so',
    in: BOTH,
    pattern: new RegExp(
      `[Ee]nvironment variables?(?: not found)?:? [\`'"“]?${NAME}|\\b(?<name2>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)[\`'"”]? (?:environment variable )?(?:is|was|must be|has to be) (?:not (?:set|provided|configured)|set|defined|provided|missing|required|unset|empty)`,
    ),
    cause,
    hint,
  },
  {
    name: 'environment/python-key',
    tool: 'Python',
    in: BOTH,
    pattern: /^KeyError: '(?<name>[A-Z][A-Z0-9_]{2,})'$/,
    cause,
    hint,
  },
  {
    name: 'environment/ruby-key',
    tool: 'Ruby',
    in: BOTH,
    pattern: /key not found: "(?<name>[A-Z][A-Z0-9_]{2,})" \(KeyError\)/,
    cause,
    hint,
  },
  {
    name: 'environment/django-setting',
    tool: 'Django',
    in: BOTH,
    pattern: /ImproperlyConfigured: The (?<name>[A-Z][A-Z0-9_]{2,}) setting must not be empty/,
    cause,
    hint,
  },
  {
    name: 'environment/pydantic',
    tool: 'Pydantic',
    in: BOTH,
    pattern: /ValidationErrors?: (?<count>\d+) validation errors? for (?<model>\w*(?:Settings|Config|Env)\w*)/,
    cause: (match) => cause({ ...match, groups: match.find(/^(?<name>\w+)$/, 4) ?? {} }),
    hint: (match) => hint({ ...match, groups: match.find(/^(?<name>\w+)$/, 4) ?? {} }),
  },
  {
    name: 'environment/zod',
    tool: 'Zod',
    in: BOTH,
    pattern: /^\s*"(?<name>[A-Z][A-Z0-9_]{2,})"$/,
    cause,
    hint,
  },
  {
    name: 'environment/spring',
    tool: 'Spring',
    in: BOTH,
    pattern: /Could not resolve placeholder '(?<name>[\w.]+)' in value/,
    cause,
    hint,
  },
  {
    name: 'environment/rust-not-present',
    tool: 'Rust',
    in: BOTH,
    pattern: /on an `Err` value: NotPresent|: environment variable not found$/,
    cause,
    hint,
  },
]
