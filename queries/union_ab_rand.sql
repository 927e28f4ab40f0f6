-- A row is a touchpoint. Each user has one number in [0, 1), a hash of user_rnd_seed and the user.
-- Reads ${union_table}. Makes ${rand_shuffle}, which the model reads.
select
    *,
    -- The lower 53 bits of the hash, over 2 to the power of 53.
    cast(
        bitwise_and(
            from_big_endian_64(
                xxhash64(to_utf8('${user_rnd_seed}:' || cast("${unique_id}" as varchar)))
            ),
            9007199254740991
        ) as double
    ) / 9007199254740992e0 as "${user_rnd_column}"
from ${union_table}
