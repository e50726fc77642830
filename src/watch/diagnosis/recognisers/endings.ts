import { always, type Recogniser } from '../recogniser.ts'

const ROLLOUT = { phases: ['rolling-out'] } as const

/** What remains when no tool left a reason: how it ended. */
export const ENDING_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'endings/rollout-timeout',
    in: ['platform', 'runtime', 'build'],
    when: ROLLOUT,
    pattern:
      /timed out waiting for rollout|nothing accepts connections|does not accept connections|deadline exceeded|readiness probe failed|health ?check (?:failed|timed out)/i,
    cause: always('The container started, but never accepted connections on its port'),
    hint: always(
      'Let the application listen on 0.0.0.0 and on the port in the PORT environment variable within 3 minutes of its start.',
    ),
  },
  {
    name: 'endings/exited',
    in: ['platform', 'runtime'],
    pattern: /container exited with code (?<code>\d+)|exited with (?:code|status) (?<code2>\d+)/i,
    cause: ({ groups }) => `The application ended with exit code ${groups.code ?? groups.code2} instead of serving`,
    hint: always(
      'Look at its last lines below. A server must keep running; set `start-command` when the wrong thing was started.',
    ),
  },
  {
    name: 'endings/command-failed',
    in: ['build', 'platform'],
    pattern:
      /process "(?<command>(?:[^"\\]|\\.)+)" did not complete successfully: exit code: (?<code>\d+)|command failed: (?<command2>.+?)(?: \(exit(?: code)? (?<code2>\d+)\))?$/i,
    cause: ({ groups }) => {
      const command = (groups.command ?? groups.command2 ?? '').replace(/^\/bin\/(?:ba)?sh -c /, '')
      const code = groups.code ?? groups.code2
      return `\`${command}\` failed${code === undefined ? '' : ` with exit code ${code}`}`
    },
    hint: always('Its last lines are below; run the same command on a fresh clone to see it fail.'),
  },
  {
    name: 'endings/build-deadline',
    in: ['build'],
    when: { kinds: ['timed-out'], phases: ['building'] },
    pattern: /\S/,
    last: true,
    cause: ({ line }) => `The time ran out during the build, at: ${line}`,
    hint: always('Raise `timeout`, or make the build shorter: install from a lock file and leave tests out of it.'),
  },
  {
    name: 'endings/rollout-deadline',
    in: ['runtime'],
    when: { kinds: ['timed-out'], ...ROLLOUT },
    pattern: /\S/,
    last: true,
    cause: always('The time ran out while the new version was rolled out: it started, but did not become active'),
    hint: always(
      'Look at its last lines below: it must accept connections on the port in PORT, on 0.0.0.0. Raise `timeout` when it starts slowly.',
    ),
  },
]
