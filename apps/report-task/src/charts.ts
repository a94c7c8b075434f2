import { byteText, grouped } from './amounts.ts'
import type { Chart } from './chart.ts'
import type { AllCounts, Counts } from './report.ts'

/** Which fields are shown, in which order. */
export function chartsOf({ participants, biospecimens, genomic_files: files }: AllCounts): Chart[] {
  return [
    rowChart('Participants', participants, 'gender'),
    rowChart('Participants', participants, 'race'),
    rowChart('Participants', participants, 'ethnicity'),
    rowChart('Participants', participants, 'diagnosis_category'),
    rowChart('Biospecimens', biospecimens, 'composition'),
    rowChart('Biospecimens', biospecimens, 'tissue_type'),
    rowChart('Genomic files', files, 'data_type'),
    {
      title: 'Size of genomic files by data type',
      measure: 'Size',
      values: files.by['data_type'] ?? [],
      amount: (value) => value.bytes ?? 0,
      shown: byteText,
      note: sizeNote(files.rows_without_size ?? 0),
    },
  ]
}

function rowChart(measure: string, counts: Counts, field: string): Chart {
  return {
    title: `${measure} by ${field.replaceAll('_', ' ')}`,
    measure,
    values: counts.by[field] ?? [],
    amount: (value) => value.rows,
    shown: grouped,
    note: '',
  }
}

function sizeNote(without: number): string {
  if (without === 0) return ''
  if (without === 1) return '1 file does not tell its size, and is left out.'
  return `${grouped(without)} files do not tell their size, and are left out.`
}
