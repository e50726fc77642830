import { readdirSync, readFileSync } from 'node:fs'
import { GITHUB_FAULTS } from '../sandbox/github/faults.ts'
import { INK_FAULTS } from '../sandbox/ink/faults.ts'

const rooms = [
  { folder: 'test/sandbox-ink', name: 'ml.ink' },
  { folder: 'test/sandbox-github', name: 'GitHub' },
  { folder: 'test/sandbox-runner', name: 'Runner' },
] as const

/** Every fault by name, with what it does. */
export function faultRows(): string[][] {
  return Object.entries({ ...INK_FAULTS, ...GITHUB_FAULTS }).map(([name, what]) => [`\`${name}\``, what])
}

/** What the sandbox's tests pin, by room: the title of each test is the behaviour. */
export function behavioursOf(root: string): string[][] {
  return rooms.flatMap(({ folder, name }) =>
    readdirSync(`${root}/${folder}`)
      .filter((file) => file.endsWith('.test.ts'))
      .sort()
      .flatMap((file) =>
        titlesIn(readFileSync(`${root}/${folder}/${file}`, 'utf8')).map((title) => [
          name,
          title,
          `\`${folder}/${file}\``,
        ]),
      ),
  )
}

// A call of describe or it with its title in quotes, or after a table of cases.
const title =
  /^\s*(describe|it)(?:\.each\([\s\S]*?\))?\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)")/gm

function titlesIn(source: string): string[] {
  let group = ''
  const titles: string[] = []
  for (const [, call, single, template, double] of source.matchAll(title)) {
    const text = (single ?? template ?? double ?? '').replaceAll(/\\(.)/g, '$1')
    if (call === 'describe') group = text
    else titles.push(group === '' ? text : `${group}: ${text}`)
  }
  return titles
}
