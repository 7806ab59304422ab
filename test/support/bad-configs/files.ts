/** Mistakes in files, JSON, the environment and sections. */
import { type BadConfig, invalid } from './bad-config.ts';

export const inFiles: readonly BadConfig[] = [
  {
    title: 'a trailing comma',
    main: () => '{\n  "hive": {},\n}',
    expect: [{ path: '', code: 'invalid_json', reason: 'comma before "}"' }],
  },
  { title: 'an empty file', main: () => ' \n', expect: [{ path: '', code: 'invalid_json', reason: 'empty' }] },
  {
    title: 'a comment',
    main: () => '{ // the node\n }',
    expect: [{ path: '', code: 'invalid_json', reason: 'no comments' }],
  },
  {
    title: 'single quotes',
    main: () => "{ 'hive': {} }",
    expect: [{ path: '', code: 'invalid_json', reason: 'double quotes' }],
  },
  {
    title: 'a number beyond 64 bits',
    main: (text) => text.replace('8080', '99999999999999999999'),
    expect: [{ path: '', code: 'invalid_json', reason: 'too large' }],
  },
  {
    title: 'an array instead of sections',
    main: () => '[]',
    expect: [invalid('', 'must be an object')],
  },
  {
    title: 'an included file that does not exist',
    set: { clients: 'shared/clients.json' },
    expect: [{ file: 'shared/clients.json', path: 'clients', code: 'file_missing', reason: 'does not exist' }],
  },
  {
    title: 'an include that is a directory',
    set: { log: 'shared' },
    files: { 'shared/other.json': '{}' },
    expect: [{ file: 'shared', path: 'log', code: 'file_error', reason: 'it is a directory, not a file' }],
  },
  {
    title: 'a section that is the main file itself, by another name',
    set: { hive: './config.json', pubsub: 'nested/../config.json' },
    files: { 'nested/other.json': '{}' },
    expect: [
      { path: 'hive', code: 'file_error', reason: 'the main file itself' },
      { path: 'pubsub', code: 'file_error', reason: 'the main file itself' },
    ],
  },
  {
    title: 'a file that includes itself',
    set: { pubsub: 'a.json' },
    files: { 'a.json': '"./a.json"' },
    expect: [{ file: 'a.json', path: 'pubsub', code: 'file_error', reason: 'include each other' }],
  },
  {
    title: 'files that include each other',
    set: { pubsub: 'a.json' },
    files: { 'a.json': '"b.json"', 'b.json': '"a.json"' },
    expect: [{ file: 'b.json', path: 'pubsub', code: 'file_error', reason: 'include each other' }],
  },
  {
    title: 'a mistake in an included file',
    set: { pubsub: 'pubsub.json' },
    files: { 'pubsub.json': '{ "channels": { "room": { "privilege": "publik", "timeout": 0 } } }' },
    expect: [{ file: 'pubsub.json', ...invalid('pubsub.channels.room.privilege', 'must be one of', 'public') }],
  },
  {
    title: 'an included file that is not UTF-8',
    set: { log: 'log.latin1.json' },
    files: { 'log.latin1.json': '{ "dir": "protokolle/\u00e4" }' },
    expect: [{ file: 'log.latin1.json', path: 'log', code: 'invalid_json', reason: 'not UTF-8' }],
  },
  {
    title: 'a key that occurs twice',
    main: (text) => text.replace('"port": 8080', '"port": 8080, "port": 8081'),
    expect: [invalid('hive.port', 'occurs twice')],
  },
  {
    title: 'an environment variable that is not set',
    set: { 'api.hash': `key-\${HIVE_TEST_UNSET_VARIABLE}` },
    expect: [invalid('api.hash', 'HIVE_TEST_UNSET_VARIABLE is not set')],
  },
  {
    title: 'an environment variable that is not set, where its name is no value either',
    set: { 'api.hash': `\${UNSET}`, 'api.host': '0.0.0.0', 'log.format': `\${UNSET}` },
    expect: [invalid('api.hash', 'UNSET is not set'), invalid('log.format', 'UNSET is not set')],
  },
  {
    title: 'a reference to something that is no variable',
    set: { 'log.dir': `log/\${node name}` },
    expect: [invalid('log.dir', 'names no environment variable')],
  },
  {
    title: 'a missing section',
    set: { monitor: undefined },
    expect: [invalid('monitor.hash', 'missing')],
  },
  {
    title: 'a misspelt section',
    set: { sockets: {}, conectors: {} },
    expect: [
      { path: 'sockets', code: 'schema_not_found', reason: 'unknown section', suggestion: 'socketio' },
      { path: 'conectors', code: 'schema_not_found', reason: 'unknown section', suggestion: 'connectors' },
    ],
  },
  {
    title: 'a section that is a number',
    set: { pubsub: 5 },
    expect: [invalid('pubsub', 'must be an object')],
  },
];
