import { expect, test } from 'vitest'
import { prefersHtml } from './accept.ts'

test.each([
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'text/html, application/xhtml+xml, image/jxr, */*;q=0.9',
  'text/html',
  'TEXT/HTML',
  'text/html;level=1',
  'text/*',
  'application/json;q=0.5, text/html;q=0.6',
  'application/json;q=0, text/html;q=0.001',
  'application/*;q=0.2, text/html;q=0.3, */*',
  'text/html , application/json; q=0.9',
  'text/html;q=0.2, text/html;level=1;q=0.9, application/json;q=0.5',
])('%s prefers HTML (CR-45, SV-22)', (accept) => expect(prefersHtml(accept)).toBe(true))

test.each([
  undefined,
  '',
  '*/*',
  'application/json',
  'application/json, text/plain, */*',
  'application/json, text/html',
  'text/html;q=0.5, application/json',
  'text/html;q=0.8, */*;q=0.8',
  'text/html;q=0, */*',
  'text/html;q=0',
  'text/html;q=high',
  'application/xml',
  'text/plain, */*',
  'text/*;q=0.5, application/json;q=0.6',
  'image/avif,image/webp,*/*',
  'text/event-stream',
  ',;,=;q',
])('%s does not', (accept) => expect(prefersHtml(accept)).toBe(false))
