import type { FileSystem, OpenFile } from '../file-system.ts'

export interface Call {
  readonly name: keyof FileSystem | keyof OpenFile
  readonly path: string
  /** For `rename`. */
  readonly to?: string
  /** For `open`. */
  readonly flags?: 'r' | 'w'
  /** For `write`: writes only the first half, as a process does that ends in the middle. */
  readonly half?: () => Promise<void>
}

/** Another file system, each of whose calls first waits for `before`; where that throws, the call is not made. */
export function watchedFileSystem(fs: FileSystem, before: (call: Call) => Promise<void> | void): FileSystem {
  const each = <Name extends keyof FileSystem>(name: Name) =>
    (async (path: string, ...rest: never[]) => {
      await before({ name, path })
      return await (fs[name] as (path: string, ...rest: never[]) => Promise<unknown>)(path, ...rest)
    }) as FileSystem[Name]
  return {
    kindOf: each('kindOf'),
    changedAt: each('changedAt'),
    list: each('list'),
    makeFolder: each('makeFolder'),
    makeFolders: each('makeFolders'),
    linkTarget: each('linkTarget'),
    removeFile: each('removeFile'),
    removeFolder: each('removeFolder'),
    link: async (target, path) => {
      await before({ name: 'link', path })
      await fs.link(target, path)
    },
    rename: async (path, to) => {
      await before({ name: 'rename', path, to })
      await fs.rename(path, to)
    },
    open: async (path, flags) => {
      await before({ name: 'open', path, flags })
      return watchedFile(await fs.open(path, flags), path, before)
    },
  }
}

function watchedFile(file: OpenFile, path: string, before: (call: Call) => Promise<void> | void): OpenFile {
  return {
    read: async (buffer) => {
      await before({ name: 'read', path })
      return await file.read(buffer)
    },
    write: async (bytes) => {
      await before({ name: 'write', path, half: () => file.write(bytes.subarray(0, bytes.length >> 1)) })
      await file.write(bytes)
    },
    sync: async () => {
      await before({ name: 'sync', path })
      await file.sync()
    },
    close: async () => {
      try {
        await before({ name: 'close', path })
      } finally {
        await file.close() // even "instead of" this call: the system closes the files of a process that ends
      }
    },
  }
}

/** The same without waiting for the disk: what a test of crashed processes, not of power cuts, need not wait for. */
export function withoutSync(fs: FileSystem): FileSystem {
  const open = async (path: string, flags: 'r' | 'w') => ({
    ...(await fs.open(path, flags)),
    sync: async () => {},
  })
  return { ...fs, open }
}
