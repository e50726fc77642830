import { always, type Recogniser } from '../recogniser.ts'

const SAID = ['platform', 'build'] as const

/** What the platform says itself, or its builder before it runs anything of the user's. */
export const PLATFORM_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'platform/payment',
    in: ['platform'],
    pattern:
      /\b402\b|payment required|insufficient (?:credits?|balance|funds)|out of credits?|credits? (?:are |is )?(?:exhausted|used up)/i,
    cause: always('The ml.ink account cannot pay for this deployment'),
    hint: always('Add credit to the account at ml.ink, then run this job again.'),
  },
  {
    name: 'platform/quota',
    in: ['platform'],
    pattern:
      /quota|(?:service|deployment|plan|free tier|account)s? limit|(?<!rate )limit (?:of \d+ .*)?(?:reached|exceeded)|too many services/i,
    cause: ({ line }) => `The account’s limit is reached: ${line}`,
    hint: always(
      'Remove services that are no longer needed (`command: sweep` removes stale previews), set `max-previews`, choose `on-quota`, or ask for a larger plan.',
    ),
  },
  {
    name: 'platform/region',
    in: ['platform'],
    pattern: /(?:unknown region|region) "(?<region>[^"]*)"(?: is not available)?/i,
    cause: ({ groups }) => `The region “${groups.region}” is unknown or not available`,
    hint: always('Set the `region` input to one that the platform offers, or leave it out for the default.'),
  },
  {
    name: 'platform/no-dockerfile',
    tool: 'Docker',
    in: SAID,
    pattern:
      /failed to read dockerfile|(?:lstat|open|stat) (?<path>\S*Dockerfile\S*): no such file|Dockerfile.{0,40}(?:not found|does not exist)|Cannot locate specified Dockerfile/i,
    cause: ({ groups }) => {
      const path = inRepository(groups.path ?? 'Dockerfile')
      return path === 'Dockerfile' ? 'There is no Dockerfile' : `There is no Dockerfile at ${path}`
    },
    hint: always(
      'Commit a file named Dockerfile in the `root-directory`, name its place with `dockerfile-path`, or leave out `build-pack: dockerfile`.',
    ),
  },
  {
    name: 'platform/no-root-directory',
    in: SAID,
    pattern:
      /root[ _-]?directory.{0,60}(?:not found|does not exist|no such|not a directory|invalid)|unable to prepare context: path "(?<path>[^"]+)" not found|(?:no such|not found).{0,40}root[ _-]?directory/i,
    cause: ({ groups }) =>
      `The root directory${groups.path === undefined ? '' : ` “${groups.path}”`} does not exist in what was deployed`,
    hint: always('Set `root-directory` to a folder of the repository, relative to its top, in its exact spelling.'),
  },
  {
    name: 'platform/missing-path',
    in: SAID,
    pattern:
      /failed to calculate checksum of ref[^"]*"(?<path>[^"]+)": not found|publish[ _-]?directory.{0,60}(?:not found|does not exist|empty)/i,
    cause: ({ groups }) =>
      groups.path === undefined
        ? 'The build left nothing in the publish directory'
        : `${inRepository(groups.path)} does not exist where the image is put together`,
    hint: always(
      'Set `publish-directory` to the folder that the build really writes (dist, build, out); in a Dockerfile, COPY only what is committed and not excluded by .dockerignore.',
    ),
  },
  {
    name: 'platform/nothing-to-build',
    tool: 'Railpack',
    in: SAID,
    pattern: /could not determine how to build/i,
    cause: always('Railpack found nothing that it knows how to build'),
    hint: always(
      'Point `root-directory` at the application, add a package.json, requirements.txt, go.mod or the like, or use `build-pack: static` or `dockerfile`.',
    ),
  },
  {
    name: 'platform/no-start-command',
    tool: 'Railpack',
    in: SAID,
    pattern:
      /no start command (?:was |could be )?(?:detected|found|specified)|unable to (?:find|determine) (?:a )?start command/i,
    cause: always('Nothing tells how to start the application'),
    hint: always(
      'Set the `start-command` input, or add a start script to package.json or a Procfile with a `web:` line.',
    ),
  },
  {
    name: 'platform/clone-failed',
    in: SAID,
    pattern:
      /clone failed|(?:fatal: )?(?:Remote branch .+ not found|could not read from remote repository|repository '.+' not found)/i,
    cause: always('The platform could not fetch the pushed commit'),
    hint: always(
      'Run the job again; when it fails again, somebody may have deleted the branch or the repository on ml.ink.',
    ),
  },
  {
    name: 'platform/build-timeout',
    in: SAID,
    pattern:
      /StartToClose timeout|build (?:timed out|timeout|took too long|exceeded)|(?:timed out|timeout) (?:while |during )?building/i,
    cause: always('The build took longer than the platform allows (10 minutes)'),
    hint: always(
      'Make the build shorter: install from a lock file, leave tests out of the build command, or build in the workflow and deploy the result with `directory`.',
    ),
  },
]

function inRepository(path: string): string {
  return path.replace(/^\/(?:app|workspace|src|build)\//, '').replace(/^.*\/buildkit-mount\d+\//, '')
}
