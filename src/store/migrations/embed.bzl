"""Puts numbered .sql files into a binary."""

def embedded_migrations(name, srcs, function):
    """Generates <name>.cc, which defines `function` of migration.h.

    Args:
      name: of the genrule.
      srcs: files named NNNN_words.sql, numbered from 0001 without gaps.
      function: the function to define, which returns them in order.
    """
    native.genrule(
        name = name,
        srcs = srcs,
        outs = [name + ".cc"],
        cmd = """
set -eu
{
  echo '#include "src/store/migrations/migration.h"'
  echo 'namespace callbridge::store {'
  echo 'namespace {'
  echo 'constexpr Migration kMigrations[] = {'
  expected=0
  for file in $$(printf '%%s\\n' $(SRCS) | sort); do
    base=$$(basename $$file .sql)
    expected=$$((expected + 1))
    if [ "$${base%%%%_*}" != "$$(printf '%%04d' $$expected)" ]; then
      echo "$$file: migrations are numbered from 0001 without gaps" >&2
      exit 1
    fi
    sum=$$(sha256sum < $$file)
    printf '{%%d, "%%s", "%%s", R"SQL(' $$expected "$$base" "$${sum%%%% *}"
    cat $$file
    echo ')SQL"},'
  done
  echo '};'
  echo '}  // namespace'
  echo 'absl::Span<const Migration> %s() { return kMigrations; }'
  echo '}  // namespace callbridge::store'
} > $@
""" % function,
        visibility = ["//visibility:private"],
    )
