"""The queries of exchanges, in what DuckDB and Spark SQL both understand.

What stands in braces is filled in by `crawler.backfill.plan`. A column `bucket` is where its rows are to be
brought together. Those of learning are in `storage.bulk`.
"""

OUTCOMES_BY_URL = """
    SELECT o.*, CAST(coalesce(v.target, o.shard) % {buckets} AS INT) AS bucket
    FROM outcomes o LEFT JOIN overrides v ON v.shard = o.shard
"""

IDS_OF_KEYS = """
    SELECT k.key AS {key},
    e.earlier + row_number() OVER (PARTITION BY k.part ORDER BY k.key) AS id,
    k.bucket
    FROM found k JOIN earlier e ON e.part = k.part
"""

BANDS_BY_NUMBER = """
    SELECT b.band, b.position, b.id, CAST(abs(b.band % {buckets}) AS INT) AS bucket FROM bands b
"""

WEIGHTS_OF_PAIRS = """
    SELECT w.a, w.b, CAST(w.weight AS INT) AS weight,
    x.signature AS a_signature, y.signature AS b_signature,
    CAST(w.a % {buckets} AS INT) AS bucket
    FROM (SELECT n.a, n.b, sum(n.weight) AS weight FROM neighbours n GROUP BY n.a, n.b) w
    LEFT JOIN signatures x ON x.id = w.a AND w.weight < {enough}
    LEFT JOIN signatures y ON y.id = w.b AND w.weight < {enough}
"""

MEMBERS_BY_GROUP = """
    SELECT m.group_id, m.id, m.is_canonical, m.site, m.agency, m.published_at,
    CAST(m.group_id % {buckets} AS INT) AS bucket
    FROM members m
"""

SIZES_OF_PARTS = """
    SELECT k.part, count(*) AS number FROM found k GROUP BY k.part
"""

TEXTS_BY_BUNDLE = """
    SELECT s.id, s.url, s.title, s.text, s.fetched_at, s.published_at,
    CAST(m.bundle AS INT) AS bucket
    FROM (SELECT c.a AS id, c.bundle FROM bundles c UNION SELECT c.b, c.bundle FROM bundles c) m
    JOIN stories s ON s.id = m.id
"""

STATED_CANDIDATES = """
    SELECT DISTINCT least(x.id, y.id) AS a, greatest(x.id, y.id) AS b
    FROM stated x JOIN stated y ON x.syndicated_from = y.url WHERE x.id <> y.id
"""

ALL_CANDIDATES = """
    SELECT c.a, c.b, least(x.position, y.position) AS along
    FROM (SELECT n.a, n.b FROM near n UNION SELECT s.a, s.b FROM stated s) c
    JOIN signatures x ON x.id = c.a JOIN signatures y ON y.id = c.b
"""

PAIRS_BY_BUNDLE = """
    SELECT p.a, p.b, p.kind, p.jaccard, p.containment, p.a_start, p.a_end, p.b_start, p.b_end,
    p.holder, CAST(g.bundle AS INT) AS bucket
    FROM pairs p JOIN bundles g ON g.a = p.a AND g.b = p.b
"""

STORIES_BY_BUNDLE = """
    SELECT s.id, s.url, s.site, s.title, s.fetched_at, s.published_at, s.agency, s.word_count,
    CAST(m.bundle AS INT) AS bucket
    FROM (SELECT c.a AS id, c.bundle FROM bundles c UNION SELECT c.b, c.bundle FROM bundles c) m
    JOIN stories s ON s.id = m.id
"""

GROUPS_BY_BUCKET = """
    SELECT g.id, g.group_id, g.is_canonical, i.bucket
    FROM groups_ g JOIN ids i ON i.id = g.id
"""
