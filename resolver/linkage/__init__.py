"""Who is who: linkage without labels, and without merging families.

comparisons  what is compared, level by level          blocking       which pairs are worth comparing
scoring      Splink: the level that each pair reaches   evidence       levels and term frequencies as small codes
mixture      match against several kinds of non-match   training       EM, corrected by the clusters
model        what is saved and shipped                  judging        the weight of every pair, part by part
bounds       what a pair could weigh at best            frequencies    how common a value is
quality      precision and recall, with intervals       repeats        rows that tell the very same
agglomeration, clustering  from pairs to people         charts         how a weight comes about, for Splink to draw
engine       link(): a table of people in, people out
"""

from resolver.linkage.clustering import Clustered, agglomerate, components
from resolver.linkage.engine import Linkage, NotJudged, judge, link, train
from resolver.linkage.judging import Weighed
from resolver.linkage.model import LinkageModel, WrongModel
from resolver.linkage.policy import LinkagePolicy

__all__ = [
    "Clustered", "Linkage", "LinkageModel", "LinkagePolicy", "NotJudged", "Weighed", "WrongModel",
    "agglomerate", "components", "judge", "link", "train",
]  # fmt: skip
