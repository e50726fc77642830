import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Command, commandIn, usage } from '../../src/cli/command.ts'
import { explainCommand } from '../../src/cli/explain.ts'

const LOG = "\x1b[31msrc/app.ts(3,20): error TS2304: Cannot find name 'total'.\x1b[0m\r\n"
const CASE = fileURLToPath(new URL('../diagnosis/cases/26-go-toolchain-old.json', import.meta.url))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'explain-'))
  await writeFile(join(folder, 'build.log'), LOG)
  await writeFile(join(folder, 'broken.json'), '{ "phase": "later", "deployLogs": "all" }')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function explained(args: readonly string[], input = ''): Promise<string> {
  const stdout = new PassThrough()
  const said = text(stdout)
  await explainCommand.run(args, { stdin: Readable.from([input]), stdout } as unknown as NodeJS.Process)
  stdout.end()
  return said
}

describe('ink-deploy explain', () => {
  it('reads a log from a file, and says cause, remedy, place and lines without terminal codes', async () => {
    const said = await explained([join(folder, 'build.log')])
    expect(said).toContain("Why:        The build failed: error TS2304: Cannot find name 'total'. (src/app.ts:3)\n")
    expect(said).toMatch(/^What to do: \S/m)
    expect(said).toContain("  src/app.ts:3:20  Cannot find name 'total'.\n")
    expect(said).not.toMatch(/[\x1b\r]/)
  })

  it('reads standard input without a file', async () => {
    expect(JSON.parse(await explained(['--json'], LOG))).toEqual(
      JSON.parse(await explained(['--json', join(folder, 'build.log')])),
    )
  })

  it('--json prints cause, hint, decisive lines and annotations for a case with several logs', async () => {
    const said = JSON.parse(await explained(['--json', CASE]))
    expect(Object.keys(said)).toEqual(['cause', 'hint', 'decisive', 'annotations'])
    expect(said.cause).toContain('go.mod requires Go 1.24.0')
    expect(said.annotations[0]).toMatchObject({ file: 'Dockerfile', line: 6 })
  })

  it('--run reads the log of an application', async () => {
    expect(await explained(['--run'], 'panic: assignment to entry in nil map\n')).toContain(
      'The app does not start: assignment to entry in nil map',
    )
  })

  it('takes a log that begins with JSON for a log', async () => {
    expect(
      await explained(['--run'], '{"level":"info"}\n{"level":"fatal","msg":"cannot read the price list"}\n'),
    ).toContain('cannot read the price list')
  })

  it.each([
    [['a', 'b'], 'there is one FILE, not "a b"'],
    [['--jsn'], '--jsn'],
    [['/nowhere/build.log'], '/nowhere/build.log could not be read'],
  ])('%j is refused, and named', async (args, words) => {
    await expect(explained(args)).rejects.toThrow(words)
  })

  it('says what is wrong with a case', async () => {
    await expect(explained(['--json', join(folder, 'broken.json')])).rejects.toThrow(/deployLogs/)
  })
})

describe('the command line', () => {
  const command: Command = { summary: 'do a thing', run: async () => {} }
  const commands = { login: command, explain: command }

  it('finds the command, and hands on what stands behind its name', () => {
    expect(commandIn(['explain', '--json'], commands)).toEqual({ command, args: ['--json'] })
  })

  it.each([[[]], [['--help']], [['-h']]])('%j asks for the list of commands', (args) => {
    expect(commandIn(args, commands)).toBeUndefined()
    expect(usage(commands)).toMatch(/login +do a thing\n +explain/)
  })

  it.each([['logout'], ['--print'], ['toString']])(
    '%s is not a command, and is refused with the names of those there are',
    (name) => {
      expect(() => commandIn([name], commands)).toThrow(
        `there is no command "${name}"; the commands are login, explain`,
      )
    },
  )
})
