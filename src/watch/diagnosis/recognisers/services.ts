import { always, type Recogniser } from '../recogniser.ts'

const BOTH = ['runtime', 'build'] as const
const DATABASES: Readonly<Record<string, string>> = {
  '5432': 'PostgreSQL',
  '6432': 'PostgreSQL',
  '3306': 'MySQL',
  '6379': 'Redis',
  '27017': 'MongoDB',
  '1433': 'SQL Server',
  '8123': 'ClickHouse',
  '9200': 'Elasticsearch',
}
const ADDRESS_HINT =
  'Set the address with the `env` input: in the container, localhost is the container itself. `database: sqlite` gives the service a database of its own as DATABASE_URL.'

/** Databases and other services that the application talks to. */
export const SERVICE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'database/refused',
    in: BOTH,
    pattern:
      /ECONNREFUSED (?<host>[\w.:[\]-]+?):(?<port>\d+)|connection to server at "(?<host2>[^"]+)"[^:]*, port (?<port2>\d+) failed|dial tcp (?<host3>[\w.:[\]-]+?):(?<port3>\d+): connect: connection refused|Connection to (?<host4>[\w.-]+):(?<port4>\d+) refused/,
    cause: ({ groups }) => {
      const host = groups.host ?? groups.host2 ?? groups.host3 ?? groups.host4
      const port = groups.port ?? groups.port2 ?? groups.port3 ?? groups.port4 ?? ''
      const database = DATABASES[port]
      return `${database === undefined ? 'A connection' : `The ${database} database`} at ${host}:${port} refused ${database === undefined ? 'to open' : 'the connection'}`
    },
    hint: always(ADDRESS_HINT),
  },
  {
    name: 'database/unknown-host',
    in: BOTH,
    pattern:
      /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?<host>\S+)|could not translate host name "(?<host2>[^"]+)"|Name or service not known|lookup (?<host3>\S+)(?: on \S+)?: no such host|UnknownHostException: (?<host4>\S+)/,
    cause: ({ groups }) => {
      const host = groups.host ?? groups.host2 ?? groups.host3 ?? groups.host4
      return `The host ${host ?? 'of a connection'} is not known`
    },
    hint: always(`Check the address. ${ADDRESS_HINT}`),
  },
  {
    name: 'database/credentials',
    in: BOTH,
    pattern:
      /password authentication failed for user|Access denied for user|WRONGPASS|NOAUTH Authentication required|Authentication failed\.|role "[^"]+" does not exist|SASL: .*password must be a string/,
    cause: always('The database refused the credentials'),
    hint: always('Check user, password and database name in what the `env` input passes.'),
  },
  {
    name: 'database/no-such-table',
    in: BOTH,
    pattern:
      /no such table: (?<table>[\w.]+)|relation "(?<table2>[^"]+)" does not exist|Table '(?<table3>[^']+)' doesn't exist|The table `(?<table4>[^`]+)` does not exist/,
    cause: ({ groups }) =>
      `The database has no table ${groups.table ?? groups.table2 ?? groups.table3 ?? groups.table4}`,
    hint: always('Run the migrations before the application starts, for example in `start-command`.'),
  },
]
