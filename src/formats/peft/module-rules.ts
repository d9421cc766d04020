/**
 * Which modules PEFT adapts, and with which rank and alpha: `check_target_module_exists` of
 * `tuners/tuners_utils.py` and `get_pattern_key` of `utils/other.py` (huggingface/peft 0.17).
 * Names are those of the model that was adapted, without the `base_model.model.` PEFT adds.
 */
import { PeruError } from '@/core/errors';
import { compileFullMatch, ModulePatternError } from './module-pattern';

export interface RuleFields {
  /** Names, a regular expression, or null for PEFT's choice by architecture. */
  readonly targetModules: readonly string[] | string | null;
  readonly excludeModules: readonly string[] | string | null;
  readonly modulesToSave: readonly string[];
  readonly layersToTransform: ReadonlySet<number> | null;
  readonly layersPattern: readonly string[];
  readonly rankPattern: ReadonlyMap<string, number>;
  readonly alphaPattern: ReadonlyMap<string, number>;
}

export interface ModuleRules {
  readonly modulesToSave: readonly string[];
  readonly isTarget: (module: string) => boolean;
  /** What `rank_pattern` and `alpha_pattern` say of a module, or null. */
  readonly rankOf: (module: string) => number | null;
  readonly alphaOf: (module: string) => number | null;
}

type Matcher = (module: string) => boolean;
/** Compiles a pattern; `written` is how it stands in the file, where that differs. */
type Compile = (pattern: string, field: string, written?: string) => Matcher;

/**
 * @param label what messages call the file
 * @throws PeruError `unsupported` for a regular expression that Peru can not read; what it returns
 *   throws the same for one that takes too long
 */
export function moduleRules(fields: RuleFields, label: string): ModuleRules {
  const matcher: Compile = (pattern, field, written = pattern) =>
    safely(pattern, { field, written, label });
  const isExcluded = namedOrMatched(fields.excludeModules, 'exclude_modules', matcher, false);
  const isSaved = fields.modulesToSave.map((name) =>
    matcher(`(?:.*\\.)?(?:${name})(?:\\..*)?`, 'modules_to_save', name),
  );
  const isNamed = targets(fields, matcher);
  return {
    modulesToSave: fields.modulesToSave,
    isTarget: (module) =>
      !isExcluded(module) && !isSaved.some((matches) => matches(module)) && isNamed(module),
    rankOf: patternLookup(fields.rankPattern, 'rank_pattern', matcher, label),
    alphaOf: patternLookup(fields.alphaPattern, 'alpha_pattern', matcher, label),
  };
}

/** A matcher whose failures, now or later, name the field and the pattern. */
function safely(
  pattern: string,
  source: { readonly field: string; readonly written: string; readonly label: string },
): Matcher {
  const { field, written, label } = source;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof ModulePatternError)) throw cause;
      const shown = written.length > 80 ? `${written.slice(0, 80)}…` : written;
      throw new PeruError(
        'unsupported',
        `${label} has a pattern in ${field} that Peru can not use: ${JSON.stringify(shown)} ${cause.message}.`,
        `Write the names of the modules into ${field} instead of a regular expression.`,
        { cause },
      );
    }
  };
  const matches = guarded(() => compileFullMatch(pattern));
  return (module) => guarded(() => matches(module));
}

/** A list holds names or their ends at a dot; a text is a regular expression for the whole name. */
function namedOrMatched(
  value: readonly string[] | string | null,
  field: string,
  matcher: Compile,
  whenNull: boolean,
): Matcher {
  if (value === null || value === '') return () => whenNull;
  if (typeof value === 'string') return matcher(value, field);
  const names = new Set(value);
  return (module) => tails(module).some((tail) => names.has(tail));
}

function targets(
  { targetModules, layersToTransform, layersPattern }: RuleFields,
  matcher: Compile,
): Matcher {
  if (typeof targetModules === 'string' && targetModules.toLowerCase() === 'all-linear') {
    return () => true;
  }
  const isNamed = namedOrMatched(targetModules, 'target_modules', matcher, true);
  if (!Array.isArray(targetModules) || layersToTransform === null) return isNamed;
  const whole = new Set(targetModules as readonly string[]);
  // Without a pattern any name may stand before the number, but something must stand before it.
  const patterns = layersPattern.length === 0 ? ['[^.]*'] : layersPattern;
  const layerLists = patterns.map((name) => matcher(`.*\\.(?:${name})`, 'layers_pattern', name));
  return (module) => {
    if (whole.has(module)) return true;
    if (!isNamed(module)) return false;
    const layer = layerNumber(module, layerLists);
    return layer !== null && layersToTransform.has(layer);
  };
}

/** The number after a layer list's name, the last one where there are several. */
function layerNumber(module: string, layerLists: readonly Matcher[]): number | null {
  const parts = module.split('.');
  for (const isList of layerLists) {
    for (let i = parts.length - 2; i > 0; i--) {
      if (/^\d+$/.test(parts[i]!) && isList(parts.slice(0, i).join('.'))) return Number(parts[i]);
    }
  }
  return null;
}

/**
 * The value of the first key that matches the end of a module's name, at a dot. JavaScript puts
 * keys that are whole numbers first, whatever their order in the file: where that could matter,
 * the lookup refuses.
 */
function patternLookup(
  values: ReadonlyMap<string, number>,
  field: string,
  matcher: Compile,
  label: string,
): (module: string) => number | null {
  const entries = [...values].map(([key, value]) => {
    return { key, value, matches: endMatcher(key, field, matcher) };
  });
  const orderIsKept = !entries.some(({ key }) => /^\d+$/.test(key));
  return (module) => {
    const first = entries.find(({ matches }) => matches(module));
    if (first === undefined || orderIsKept) return first?.value ?? null;
    const other = entries.find(({ value, matches }) => value !== first.value && matches(module));
    if (other === undefined) return first.value;
    throw new PeruError(
      'unsupported',
      `${label} gives two values for the module "${module}" in ${field}: under ${JSON.stringify(first.key)} and ${JSON.stringify(other.key)}.`,
      `Leave one of the two in ${field}.`,
    );
  };
}

/** `re.match(rf"(.*\.)?({key})$", module)`; plain names, the usual keys, without an engine. */
function endMatcher(key: string, field: string, matcher: Compile): Matcher {
  const plain = key.replaceAll('\\.', '.');
  if (/^[\w.-]+$/.test(plain)) {
    // An unescaped dot stands for any character.
    const parts = new RegExp(`(?:^|\\.)${key}$`, 'u');
    return (module) => parts.test(module);
  }
  return matcher(`(?:.*\\.)?(?:${key})`, field, key);
}

/** A name and its ends at each dot: "a.b.c", "b.c", "c". */
function tails(module: string): string[] {
  const found = [module];
  for (let dot = module.indexOf('.'); dot >= 0; dot = module.indexOf('.', dot + 1)) {
    found.push(module.slice(dot + 1));
  }
  return found;
}
