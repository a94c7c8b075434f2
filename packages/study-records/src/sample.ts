import { type Random, seededRandom } from './random.ts'
import studies from './sample-studies.json' with { type: 'json' }
import type { Collection } from './source.ts'

/** One study of the sample input. */
export interface SampleStudy {
  readonly id: string
  /** Begins the names that the study's own people gave to participants, samples and files. */
  readonly short: string
  readonly diagnosis: string
  readonly firstDay: string
  /** Ids are numbered from here on, so that no two studies share one. */
  readonly firstId: number
  readonly rows: { readonly [collection in Collection]: number }
}

const SEED = 'reference-task sample 1'

/** 100,000 records together, in about the proportions of real studies. */
const SHAPES = [
  { short: 'OFC', diagnosis: 'Structural Birth Defect', rows: rowsOf(6_000, 9_000, 35_000) },
  { short: 'CHD', diagnosis: 'Structural Birth Defect', rows: rowsOf(3_600, 5_400, 21_000) },
  { short: 'FLA', diagnosis: 'Cancer', rows: rowsOf(2_400, 3_600, 14_000) },
] as const

/** The studies of `sample-studies.json`, with what the generator makes of them. */
export const SAMPLE_STUDIES: readonly SampleStudy[] = SHAPES.flatMap((shape, at) => {
  const study = studies[at]
  return study ? [{ ...shape, id: study.kf_id, firstDay: study.created_at, firstId: 1 + at * 100_000 }] : []
})

function rowsOf(participants: number, biospecimens: number, genomicFiles: number): SampleStudy['rows'] {
  return { participants, biospecimens, 'genomic-files': genomicFiles }
}

/** The records of one collection, always the same ones: neither the clock nor `Math.random` has a part in them. */
export function* sampleRows(study: SampleStudy, collection: Collection): Generator<object> {
  const random = seededRandom(`${SEED} ${study.id} ${collection}`)
  const make = MAKERS[collection]
  for (let index = 0; index < study.rows[collection]; index++) yield make(study, index, random)
}

type Maker = (study: SampleStudy, index: number, random: Random) => object

const MAKERS: { readonly [collection in Collection]: Maker } = {
  participants: participant,
  biospecimens: biospecimen,
  'genomic-files': genomicFile,
}

/** Participants come as trios: the proband, then both parents. */
function participant(study: SampleStudy, index: number, random: Random): object {
  const [family, member] = [Math.floor(index / 3), index % 3]
  const id = sampleId('PT', study, index)
  return {
    kf_id: id,
    external_id: `${study.short}-${padded(family)}-${['P', 'M', 'F'][member]}`,
    is_proband: member === 0,
    affected_status: member === 0 || random.chance(0.08),
    gender: member === 0 ? random.pick(['Male', 'Female', 'Female', 'Male', 'Other']) : parent(member),
    race: maybe(
      random,
      0.12,
      random.pick(['White', 'Asian', 'Black or African American', 'More Than One Race']),
    ),
    ethnicity: maybe(random, 0.15, random.pick(['Not Hispanic or Latino', 'Hispanic or Latino'])),
    species: 'Homo sapiens',
    diagnosis_category: member === 0 ? study.diagnosis : null,
    ...common(study, index, random),
    _links: {
      ...links('participants', id),
      study: `/studies/${study.id}`,
      family: `/families/${sampleId('FM', study, family)}`,
    },
  }
}

function parent(member: number): string {
  return member === 1 ? 'Female' : 'Male'
}

/** Everybody gave one sample; then some, in turn, another. */
function biospecimen(study: SampleStudy, index: number, random: Random): object {
  const id = sampleId('BS', study, index)
  const tumor = study.diagnosis === 'Cancer' && random.chance(0.4)
  return {
    kf_id: id,
    external_sample_id: `${study.short}-S${padded(index)}`,
    external_aliquot_id: maybe(random, 0.2, `${study.short}-S${padded(index)}-A${1 + random.below(3)}`),
    analyte_type: random.pick(['DNA', 'DNA', 'DNA', 'RNA']),
    composition: random.pick(['Peripheral Whole Blood', 'Saliva', 'Solid Tissue', 'Bone Marrow']),
    age_at_event_days: maybe(random, 0.25, random.below(6_570)),
    source_text_tissue_type: tumor ? 'Tumor' : 'Normal',
    source_text_anatomical_site: maybe(
      random,
      0.3,
      random.pick(['Blood', 'Oral cavity', 'Heart', 'Bone marrow']),
    ),
    source_text_tumor_descriptor: tumor ? random.pick(['Primary', 'Recurrence', 'Metastatic']) : null,
    volume_ul: maybe(random, 0.4, random.below(5_000) / 10),
    concentration_mg_per_ml: maybe(random, 0.4, random.below(2_000) / 1_000),
    consent_type: random.pick(['GRU', 'HMB', 'DS-OC', 'GRU']),
    dbgap_consent_code: maybe(random, 0.2, `phs00${1_000 + random.below(9)}.c${1 + random.below(2)}`),
    ...common(study, index, random),
    _links: {
      ...links('biospecimens', id),
      participant: `/participants/${sampleId('PT', study, index % study.rows.participants)}`,
    },
  }
}

const FILE_KINDS = [
  { data_type: 'Aligned Read', file_format: 'cram', workflow_type: 'Alignment', bytes: 4e10 },
  { data_type: 'gVCF', file_format: 'g.vcf.gz', workflow_type: 'Alignment', bytes: 5e9 },
  { data_type: 'Variant Call', file_format: 'vcf.gz', workflow_type: 'Joint Genotyping', bytes: 1e9 },
  { data_type: 'Gene Expression', file_format: 'tsv.gz', workflow_type: 'RNAseq', bytes: 2e6 },
] as const

function genomicFile(study: SampleStudy, index: number, random: Random): object {
  const id = sampleId('GF', study, index)
  const kind = random.pick(FILE_KINDS)
  const harmonized = random.chance(0.7)
  const name = `${study.short}-S${padded(index % study.rows.biospecimens)}.${padded(index)}.${kind.file_format}`
  const consent = `${study.id}.c${1 + random.below(2)}`
  return {
    kf_id: id,
    external_id: `s3://${study.short.toLowerCase()}-data/${name}`,
    data_type: kind.data_type,
    file_name: name,
    file_format: kind.file_format,
    size: maybe(random, 0.01, 1 + random.below(kind.bytes)),
    hashes: { md5: random.hex(4), sha256: random.hex(8) },
    urls: [`https://data.example.org/${study.id}/${id}`],
    is_harmonized: harmonized,
    reference_genome: harmonized ? 'GRCh38' : maybe(random, 0.5, 'hg19'),
    controlled_access: random.chance(0.9),
    availability: random.chance(0.8) ? 'Immediate Download' : 'Cold Storage',
    workflow_type: harmonized ? kind.workflow_type : null,
    acl: [study.id, consent],
    authz: [`/programs/${consent}`],
    ...common(study, index, random),
    _links: links('genomic-files', id),
  }
}

/** Rows are created minutes apart, in the order in which a Data Service would list them. */
function common(study: SampleStudy, index: number, random: Random): object {
  const created = Date.parse(study.firstDay) + index * 3 * 60 * 1000 // 3 min
  const modified = created + random.below(90 * 24 * 60 * 60 * 1000) // up to 90 days
  return { visible: true, created_at: timestamp(created), modified_at: timestamp(modified) }
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '+00:00')
}

function links(collection: Collection, id: string): object {
  return { self: `/${collection}/${id}`, collection: `/${collection}` }
}

function maybe<T>(random: Random, nullShare: number, value: T): T | null {
  return random.chance(nullShare) ? null : value
}

function padded(index: number): string {
  return String(index).padStart(6, '0')
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // Crockford's base 32
const IDS = 2 ** 40 // eight letters of five bits
const STEP = 26_473_318_049 // odd, so that stepping by it meets every id once before the first comes again

/** The id of a study's n-th record: looks random, is unique, and can be told without keeping a list. */
function sampleId(prefix: string, study: SampleStudy, index: number): string {
  let rest = ((study.firstId + index) * STEP) % IDS // the product is below 2^53, so exact
  let text = ''
  for (let letter = 0; letter < 8; letter++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return `${prefix}_${text}`
}
