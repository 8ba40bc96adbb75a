// A component in JavaScript: addresses from titles.
// Its engine comes without Unicode's tables: no normalize(), no \p{...}.

import announce from "announce";

const ACCENTED = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ";
const PLAIN = "aaaaaaceeeeiiiinooooouuuuyy";

function plain(letter) {
  const at = ACCENTED.indexOf(letter);
  return at < 0 ? letter : PLAIN[at];
}

function compose(title, separator, maxLength) {
  const words = Array.from(title.toLowerCase(), plain).join("").match(/[a-z0-9]+/g);
  if (words === null) throw { tag: "empty" };
  let slug = words[0];
  for (const word of words.slice(1)) {
    if (maxLength !== undefined && slug.length + 1 + word.length > maxLength) break;
    slug += separator + word;
  }
  return maxLength === undefined ? slug : slug.slice(0, maxLength);
}

export const slugs = {
  slugify(title, { separator, maxLength }) {
    if (!"-_.~".includes(separator)) throw { tag: "bad-separator", val: separator };
    const slug = compose(title, separator, maxLength);
    announce(slug);
    return slug;
  },

  slugifyAll(titles) {
    const seen = new Map();
    return titles.map((title) => {
      const slug = compose(title, "-");
      const count = (seen.get(slug) ?? 0) + 1;
      seen.set(slug, count);
      return count === 1 ? slug : `${slug}-${count}`;
    });
  },

  letters(text) {
    const counts = new Map();
    for (const letter of text.toLowerCase()) {
      if (letter !== letter.toUpperCase()) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  },
};
