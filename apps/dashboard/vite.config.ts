import { gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, loadEnv, type Plugin, type ProxyOptions } from 'vite'
import { localSignIn } from './local-sign-in.ts'

/** Every resource of the coordinator, and what the page asks it besides. */
const API = '^/(releases|tasks|task-services|events|studies|release-notes|audit|me|sign-in)(/|\\?|$)'

const MOST_GZIP_BYTES = 250 * 1000

/** The same addresses are pages and JSON: who wants a page gets it from vite, the rest goes to the coordinator. */
function proxyTo(target: string): Record<string, ProxyOptions> {
  return {
    [API]: {
      target,
      bypass: ({ headers }) => (headers.accept?.includes('text/html') ? '/index.html' : null),
    },
  }
}

/** All JavaScript together stays small enough for a slow line; a build that does not keep to it fails. */
function sizeLimit(): Plugin {
  return {
    name: 'size-limit',
    apply: 'build',
    generateBundle(_, bundle) {
      const sizes = Object.values(bundle).map((part) =>
        part.type === 'chunk' ? gzipSync(part.code).length : 0,
      )
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      if (bytes > MOST_GZIP_BYTES)
        this.error(`JavaScript is ${bytes} bytes gzip, more than ${MOST_GZIP_BYTES}`)
      this.info(`JavaScript in all: ${bytes} bytes gzip, of at most ${MOST_GZIP_BYTES}`)
    },
  }
}

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, import.meta.dirname, 'COORDINATOR_')
  const target = settings['COORDINATOR_API'] ?? 'http://127.0.0.1:5001'
  const proxy = proxyTo(target)
  return {
    root: import.meta.dirname,
    plugins: [react(), localSignIn(target), sizeLimit()],
    server: { proxy },
    preview: { proxy },
    // A proxy may put the page under a path of its own: the coordinator says in each page where its root is.
    experimental: {
      renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `__ROOT__${file}` : { relative: true }),
    },
    build: {
      target: 'es2024',
      chunkSizeWarningLimit: 400,
      // What several pages need is one file instead of thirty that are too small to be worth a request.
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'base', minShareCount: 2 }] } } },
    },
  }
})
