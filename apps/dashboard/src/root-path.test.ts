import { expect, test } from 'vitest'
import { rootPathOf } from './root-path.ts'

test.each([
  ['./', 'https://host.test/releases?state=failed', ''],
  ['../', 'https://host.test/releases/RE_1', ''],
  ['./', 'https://host.test/coordinator/releases', '/coordinator'],
  ['../', 'https://host.test/coordinator/releases/RE_1#tasks', '/coordinator'],
  ['../', 'https://host.test/data/coordinator/releases/RE_1', '/data/coordinator'],
  ['/coordinator/', 'https://host.test/coordinator', '/coordinator'],
  ['./', 'https://host.test//evil.test/releases', '/evil.test'],
  ['../', 'https://host.test//releases', ''],
  ['__ROOT__', 'http://127.0.0.1:5173/releases/RE_1', ''],
  ['', 'https://host.test/releases/RE_1', ''],
])('a page that says %j at %s is below %j', (said, address, path) =>
  expect(rootPathOf(said, address)).toBe(path),
)
