"use strict";
// The combinations of a matrix that the storyboard plays. All of them show one shot, so one is played unless more are
// asked for: that of the ratio that most clips have.

Gallery.combinations = (() => {
  const ONE = "";
  const ALL = "*";

  /** Return the clips by their declaration. */
  function declared(cards) {
    const groups = new Map();
    for (const card of cards) groups.set(card.declared, [...(groups.get(card.declared) || []), card]);
    return groups;
  }

  function usualRatio(cards) {
    const counts = new Map();
    for (const card of cards) counts.set(card.ratio, (counts.get(card.ratio) || 0) + 1);
    return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best), [null, 0])[0];
  }

  /** Return the choices for these clips: value and label; none without a matrix. */
  function choices(cards) {
    const several = [...declared(cards).values()].filter((group) => group.length > 1).flat();
    const ratios = [...new Set(several.map((card) => card.ratio).filter(Boolean))];
    if (!several.length) return [];
    return [[ONE, "One of each shot"], ...(ratios.length > 1 ? ratios.map((ratio) => [ratio, `All ${ratio}`]) : []), [ALL, "Every combination"]];
  }

  /** Return the clips to play; of a shot without the chosen ratio, one. */
  function played(cards, choice) {
    if (choice === ALL) return cards;
    const groups = declared(cards);
    const usual = usualRatio(cards);
    return cards.filter((card) => {
      const group = groups.get(card.declared);
      if (group.some((each) => each.ratio === choice)) return card.ratio === choice;
      return card === (group.find((each) => each.ratio === usual) || group[0]);
    });
  }

  return { choices, played };
})();
