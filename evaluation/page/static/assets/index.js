"use strict";
/** The index of all cases: columns by which they are counted, filtered and sorted. */
(function () {
  const NUMBERS = new Set([
    ..."epoch rating probability rounds unsafe_votes safe_votes no_vote not_asked".split(" "),
    ..."flips lost_ballots misquoting cost_usd latency_s run".split(" "),
  ]);

  /** A column of words: a code a case, and the value of each code. */
  class Words {
    constructor(length) {
      this.codes = new Int32Array(length).fill(-1);
      this.values = [];
      this.known = new Map();
    }
    code(value) {
      const key = value === undefined ? null : value;
      let code = this.known.get(key);
      if (code === undefined) {
        code = this.values.push(key) - 1;
        this.known.set(key, code);
      }
      return code;
    }
    put(start, count, column) {
      const own = (column.values || []).map((value) => this.code(value));
      if (column.codes) column.codes.forEach((code, at) => (this.codes[start + at] = own[code]));
      else if (column.plain) column.plain.forEach((v, at) => (this.codes[start + at] = this.code(v)));
      else this.codes.fill(own[0], start, start + count);
    }
    at(place) {
      const code = this.codes[place];
      return code < 0 ? null : this.values[code];
    }
    /** The place of each code in natural order of its values. */
    ranks() {
      const order = this.values.map((_, code) => code);
      const { collator } = safejury;
      order.sort((a, b) => collator.compare(this.values[a] ?? "", this.values[b] ?? ""));
      const ranks = new Float64Array(this.values.length);
      order.forEach((code, rank) => (ranks[code] = this.values[code] === null ? NaN : rank));
      return ranks;
    }
    keys() {
      const ranks = this.ranks();
      return Float64Array.from(this.codes, (code) => (code < 0 ? NaN : ranks[code]));
    }
  }

  /** A column of numbers; NaN where there is none. */
  class Numbers {
    constructor(length) {
      this.cells = new Float64Array(length).fill(NaN);
    }
    put(start, count, column) {
      const number = (value) => (value === null ? NaN : Number(value));
      const { values = [], codes, plain } = column;
      if (codes) codes.forEach((code, at) => (this.cells[start + at] = number(values[code])));
      else if (plain) plain.forEach((value, at) => (this.cells[start + at] = number(value)));
      else this.cells.fill(number(values[0]), start, start + count);
    }
    at(place) {
      const cell = this.cells[place];
      return Number.isNaN(cell) ? null : cell;
    }
    keys() {
      return this.cells;
    }
  }

  class Index {
    constructor(count, size) {
      this.count = count;
      this.size = size;
      this.columns = {};
      this._orders = new Map();
      this._places = null;
    }
    put(piece) {
      for (const [name, column] of Object.entries(piece.columns)) {
        const kind = NUMBERS.has(name) ? Numbers : Words;
        const mine = (this.columns[name] ||= new kind(this.count));
        mine.put(piece.start, piece.count, column);
      }
    }
    at(name, place) {
      const column = this.columns[name];
      return column ? column.at(place) : null;
    }
    id(place) {
      const condition = this.at("condition", place);
      const plain = ["query_id", "target", "epoch"].map((name) => this.at(name, place)).join("/");
      return condition ? `${plain}/${condition}` : plain;
    }
    /** The place of a case by its id, and by its run where there are several; -1 for none. */
    find(id, run) {
      if (!this._places) {
        this._places = new Map();
        for (let place = this.count - 1; place >= 0; place--) {
          this._places.set(this.id(place), place);
          this._places.set(`${this.at("run", place)} ${this.id(place)}`, place);
        }
      }
      const place = this._places.get(run === null ? id : `${run} ${id}`);
      return place === undefined ? -1 : place;
    }
    /** All places, sorted by a column; equal ones by query, target, condition and epoch. */
    order(name, falling) {
      const key = `${name} ${falling}`;
      if (!this._orders.has(key)) {
        const base = name ? this.order("", false) : Int32Array.from({ length: this.count }, (_, i) => i);
        const by = name ? [name] : ["query_id", "run", "target", "condition", "epoch"];
        const keys = by.filter((each) => this.columns[each]).map((each) => this.columns[each].keys());
        const rank = new Int32Array(this.count);
        base.forEach((place, at) => (rank[place] = at));
        const sorted = Int32Array.from(base).sort((a, b) => {
          for (const values of keys) {
            const [x, y] = [values[a], values[b]];
            if (x === y) continue;
            if (x !== x || y !== y) {
              if (x !== x && y !== y) continue;
              return x !== x ? 1 : -1; // what is missing comes last
            }
            return falling ? y - x : x - y;
          }
          return rank[a] - rank[b];
        });
        this._orders.set(key, sorted);
      }
      return this._orders.get(key);
    }
  }

  let loading = null;

  /** Return a promise of the index of all cases. `fresh` reads it again. */
  safejury.index = function (overview, fresh) {
    if (loading && fresh === undefined) return loading;
    const index = new Index(overview.count, overview.in_index);
    const pieces = Math.ceil(overview.count / overview.in_index);
    const names = Array.from({ length: pieces }, (_, at) => `index-${at}`);
    loading = Promise.all(names.map((name) => safejury.load(name, fresh))).then((found) => {
      found.forEach((piece) => index.put(piece));
      safejury.forget((name) => name.startsWith("index-"));
      return index;
    });
    loading.catch(() => (loading = null));
    return loading;
  };
})();
