export { fakeDataservice, type FakeDataservice, type FakeOptions } from './fake-dataservice.ts'
export { allRows, lines, writeStudy } from './source-files.ts'
