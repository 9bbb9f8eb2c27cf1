"""Named checks: each one decides one point that documentation alone leaves open."""
