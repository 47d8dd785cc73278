// TOML as definitions are written: read into plain values, and written from them. The daemon reads what is saved once
// more, so that a difference is a refusal and never another meaning. Dates, which no definition has, are refused here.

export type Value = string | number | boolean | Value[] | Table;
export interface Table {
  [key: string]: Value;
}

export class TomlError extends Error {
  constructor(readonly why: TomlWhy, readonly line: number, readonly found = "") {
    super(`line ${line}: ${why}`);
  }
}

export type TomlWhy = "key" | "value" | "string" | "end" | "equals" | "twice" | "bracket";

const BARE = /^[A-Za-z0-9_-]+$/;
const isTable = (value: unknown): value is Table => typeof value === "object" && value !== null && !Array.isArray(value);

/// Reads a text. Throws [`TomlError`].
export function parse(text: string): Table {
  return new Reader(text.replace(/\r\n/g, "\n")).document();
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): Table {
    const root: Table = {};
    const defined = new Set<Table>();
    let table = root;
    for (;;) {
      this.blank(true);
      if (this.at >= this.text.length) return root;
      if (this.next() === "[") {
        const many = this.text.startsWith("[[", this.at);
        this.at += many ? 2 : 1;
        this.blank();
        const path = this.path();
        this.blank();
        if (!this.text.startsWith(many ? "]]" : "]", this.at)) this.wrong("bracket");
        this.at += many ? 2 : 1;
        table = this.open(root, path, many, defined);
      } else {
        this.pair(table);
      }
      this.blank();
      if (this.at < this.text.length && this.next() !== "\n") this.wrong("end");
    }
  }

  private open(root: Table, path: string[], many: boolean, defined: Set<Table>): Table {
    let table = root;
    const last = path.length - 1;
    path.forEach((key, at) => {
      const there = table[key];
      if (many && at === last) {
        if (there !== undefined && !Array.isArray(there)) this.wrong("twice", key);
        const list = (there ?? (table[key] = [])) as Value[];
        const entry: Table = {};
        list.push(entry);
        table = entry;
        return;
      }
      const inner = Array.isArray(there) ? there.at(-1) : there;
      if (inner === undefined) table = table[key] = {};
      else if (isTable(inner)) table = inner;
      else this.wrong("twice", key);
    });
    if (!many) {
      if (defined.has(table)) this.wrong("twice", path.join("."));
      defined.add(table);
    }
    return table;
  }

  private pair(table: Table): void {
    const path = this.path();
    this.blank();
    if (this.next() !== "=") this.wrong("equals");
    this.at += 1;
    this.blank();
    let into = table;
    for (const key of path.slice(0, -1)) {
      const there = into[key];
      if (there === undefined) into = into[key] = {};
      else if (isTable(there)) into = there;
      else this.wrong("twice", key);
    }
    const key = path.at(-1) as string;
    if (Object.hasOwn(into, key)) this.wrong("twice", key);
    into[key] = this.value();
  }

  private path(): string[] {
    const path: string[] = [];
    for (;;) {
      this.blank();
      const first = this.next();
      if (first === '"' || first === "'") path.push(this.string());
      else {
        const word = /[A-Za-z0-9_-]*/y;
        word.lastIndex = this.at;
        const found = word.exec(this.text)?.[0] ?? "";
        if (!found) this.wrong("key", first);
        this.at += found.length;
        path.push(found);
      }
      this.blank();
      if (this.next() !== ".") return path;
      this.at += 1;
    }
  }

  private value(): Value {
    const first = this.next();
    if (first === '"' || first === "'") return this.string();
    if (first === "[") return this.list();
    if (first === "{") return this.table();
    const word = /[^\s,\]}#]*/y;
    word.lastIndex = this.at;
    const found = word.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    if (found === "true" || found === "false") return found === "true";
    const plain = found.replace(/(?<=[0-9A-Fa-f])_(?=[0-9A-Fa-f])/g, "");
    if (/^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(plain)) return Number(plain);
    if (/^0(x[0-9A-Fa-f]+|o[0-7]+|b[01]+)$/.test(plain)) return Number(plain);
    this.at -= found.length;
    return this.wrong("value", found);
  }

  private list(): Value[] {
    const list: Value[] = [];
    this.at += 1;
    for (;;) {
      this.blank(true);
      if (this.next() === "]") break;
      list.push(this.value());
      this.blank(true);
      if (this.next() === ",") this.at += 1;
      else if (this.next() !== "]") this.wrong("bracket");
    }
    this.at += 1;
    return list;
  }

  private table(): Table {
    const table: Table = {};
    this.at += 1;
    this.blank(true);
    while (this.next() !== "}") {
      this.pair(table);
      this.blank(true);
      if (this.next() === ",") {
        this.at += 1;
        this.blank(true);
      } else if (this.next() !== "}") this.wrong("bracket");
    }
    this.at += 1;
    return table;
  }

  private string(): string {
    const quote = this.next();
    const long = this.text.startsWith(quote.repeat(3), this.at);
    const end = long ? quote.repeat(3) : quote;
    this.at += end.length;
    if (long && this.next() === "\n") this.at += 1;
    let text = "";
    for (;;) {
      if (this.at >= this.text.length || (!long && this.next() === "\n")) this.wrong("string");
      if (this.text.startsWith(end, this.at)) {
        this.at += end.length;
        // Up to two more quotes before the closing ones belong to a long text.
        while (long && this.next() === quote) {
          text += quote;
          this.at += 1;
        }
        return text;
      }
      if (quote === '"' && this.next() === "\\") {
        text += this.escape(long);
        continue;
      }
      text += this.next();
      this.at += 1;
    }
  }

  private escape(long: boolean): string {
    const letter = this.text[this.at + 1] ?? "";
    const simple: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\u001b", '"': '"', "\\": "\\" };
    const known = simple[letter];
    if (known !== undefined) {
      this.at += 2;
      return known;
    }
    const digits = letter === "u" ? 4 : letter === "U" ? 8 : 0;
    const hex = this.text.slice(this.at + 2, this.at + 2 + digits);
    if (digits && /^[0-9A-Fa-f]+$/.test(hex) && hex.length === digits && Number.parseInt(hex, 16) <= 0x10ffff) {
      this.at += 2 + digits;
      return String.fromCodePoint(Number.parseInt(hex, 16));
    }
    const folded = long ? /^\\[ \t]*\n\s*/.exec(this.text.slice(this.at))?.[0] : undefined;
    if (folded === undefined) return this.wrong("string", `\\${letter}`);
    this.at += folded.length;
    return "";
  }

  private next(): string {
    return this.text[this.at] ?? "";
  }

  /// Passes over blanks and comments, and over ends of lines where they mean nothing.
  private blank(lines = false): void {
    const skip = lines ? /(?:[ \t\n]|#[^\n]*)*/y : /[ \t]*(?:#[^\n]*)?/y;
    skip.lastIndex = this.at;
    this.at += skip.exec(this.text)?.[0].length ?? 0;
  }

  private wrong(why: TomlWhy, found = this.next()): never {
    throw new TomlError(why, this.text.slice(0, this.at).split("\n").length, found);
  }
}

const key = (word: string): string => (BARE.test(word) ? word : JSON.stringify(word));

function quoted(text: string): string {
  if (text.includes("\n") && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) {
    return `"""\n${text.replace(/\\/g, "\\\\").replace(/"""/g, '""\\"').replace(/"$/, '\\"')}"""`;
  }
  return JSON.stringify(text).replace(/\u007f/g, "\\u007f");
}

/// A value on one line.
export function inline(value: Value): string {
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([word, inner]) => `${key(word)} = ${inline(inner)}`);
    return pairs.length > 0 ? `{ ${pairs.join(", ")} }` : "{}";
  }
  return String(value);
}

/// Tables that stand on one line in definitions, since they are rows of a person's table.
const INLINE = new Set(["video", "audio", "clip", "loudness", "rendition", "encryption", "quality", "ladder", "burn", "review", "parameters"]);
const isLong = (word: string, value: Value): boolean => isTable(value) && !INLINE.has(word);
const isTables = (value: Value): value is Table[] => Array.isArray(value) && value.length > 0 && value.every(isTable);

/// Writes a definition: keys first, then its tables, then its lists of tables.
export function write(root: Table): string {
  const lines: string[] = [];
  section(lines, root, []);
  return `${lines.join("\n").trim()}\n`;
}

function section(lines: string[], table: Table, path: string[]): void {
  const entries = Object.entries(table);
  for (const [word, value] of entries) if (!isLong(word, value) && !isTables(value)) lines.push(`${key(word)} = ${inline(value)}`);
  for (const [word, value] of entries) {
    const name = [...path, word].map(key).join(".");
    if (isLong(word, value)) {
      lines.push("", `[${name}]`);
      section(lines, value as Table, [...path, word]);
    } else if (isTables(value)) {
      for (const entry of value) {
        lines.push("", `[[${name}]]`);
        section(lines, entry, [...path, word]);
      }
    }
  }
}
