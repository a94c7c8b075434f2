import { expect, test } from 'vitest'

import { type Content, html } from './markup.ts'

test('text is escaped, between tags and in attributes', () => {
  const text = `<b>"it's" & more</b>`
  const safe = '&lt;b&gt;&quot;it&#39;s&quot; &amp; more&lt;/b&gt;'
  expect(html`<p title="${text}">${text}</p>`.toString()).toBe(`<p title="${safe}">${safe}</p>`)
})

test('markup inside markup stays, in lists too, and text in lists is escaped', () => {
  const items: Content = [html`<i>1</i>`, '<', [2, html`<i>3</i>`]]
  expect(html`<p>${items}</p>`.toString()).toBe('<p><i>1</i>&lt;2<i>3</i></p>')
})

test('what JSON can bring does not pass as markup', () => {
  const forged = JSON.parse('{"text":"<script>","toString":"<script>"}') as Content
  const simple = JSON.parse('{"markup":"<script>"}') as Content
  expect(() => html`<p>${forged}</p>`).toThrow(TypeError)
  expect(html`<p>${simple}</p>`.toString()).toBe('<p>[object Object]</p>')
})

test('the indentation of the template goes, that of the content stays', () => {
  const content = 'a\n  b'
  const list = html`<ul>
    <li>${content}</li>
  </ul>`
  expect(list.toString()).toBe('<ul>\n<li>a\n  b</li>\n</ul>')
})
