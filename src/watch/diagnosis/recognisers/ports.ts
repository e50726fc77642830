import { always, type Recogniser } from '../recogniser.ts'

const RUNTIME = ['runtime'] as const
/** Only where the process may well be alive, and merely not to be reached. */
const UNREACHED = { kinds: ['failed', 'timed-out', 'unhealthy'] } as const

/** Listening where the platform does not look. */
export const PORT_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'port/in-use',
    in: RUNTIME,
    pattern: /EADDRINUSE.*?:(?<port>\d+)|address already in use.*?:?(?<port2>\d+)?$/i,
    cause: ({ groups }) => `The port ${groups.port ?? groups.port2 ?? ''} is in use already`.replace('  ', ' '),
    hint: always('Start one server only, on the port in the PORT environment variable.'),
  },
  {
    name: 'port/localhost-only',
    in: RUNTIME,
    when: UNREACHED,
    pattern:
      /(?:listening|running|started|starting|serving|ready|server|local:).*?(?:127\.0\.0\.1|localhost|\[::1\])(?::(?<port>\d{2,5}))?/i,
    // Several servers name localhost for the reader, and say in the next lines that they listen everywhere.
    near: { pattern: /Network:\s+https?:\/\/|0\.0\.0\.0/i, above: 1, below: 3, absent: true },
    cause: ({ groups }) =>
      `The application listens on localhost${groups.port === undefined ? '' : `:${groups.port}`}, where the platform cannot reach it`,
    hint: always(
      'Let it listen on 0.0.0.0 and on the port in the PORT environment variable, for example `--host 0.0.0.0 --port $PORT`.',
    ),
  },
  {
    name: 'port/other-port',
    in: RUNTIME,
    when: UNREACHED,
    pattern:
      /(?:listening|running|started|serving|ready)\b.{0,60}?(?:port[ :=]+|0\.0\.0\.0:|\[::\]:|\*:|:::?)(?<port>\d{2,5})\b/i,
    cause: ({ groups }) =>
      `The application listens on port ${groups.port}, but nothing answers where the platform looks`,
    hint: ({ groups }) =>
      `Let it listen on the port in the PORT environment variable, or set the \`port\` input to ${groups.port}.`,
  },
]
