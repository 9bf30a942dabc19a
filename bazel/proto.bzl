"""protoc and the gRPC plugin as a Bazel rule, usable from a monorepo.

cc_proto_library would bring in protobuf's own repository; this runs the machine's protoc instead. One callbridge_proto is one
directory of one proto package. It makes
  <name>             a cc_library with <package path>/*.pb.h (and *.grpc.pb.h where the file is in `services`)
  <name>_protoset    a FileDescriptorSet with comments, for grpcurl -protoset
"""

load("//bazel:cc.bzl", "callbridge_cc_library")

ProtoSourcesInfo = provider(
    doc = "The .proto files of a target with those it imports.",
    fields = {"sources": "depset of files", "roots": "depset of include directories"},
)

def _join(*parts):
    return "/".join([p for p in parts if p])

def _root(ctx):
    """The import root of this package's repository, as seen from the execution root."""
    return _join(ctx.label.workspace_root, ctx.attr.import_root) or "."

def _proto_sources_impl(ctx):
    return [ProtoSourcesInfo(
        sources = depset(ctx.files.srcs, transitive = [d[ProtoSourcesInfo].sources for d in ctx.attr.deps]),
        roots = depset([_root(ctx)], transitive = [d[ProtoSourcesInfo].roots for d in ctx.attr.deps]),
    ), DefaultInfo(files = depset(ctx.files.srcs))]

_proto_sources = rule(
    implementation = _proto_sources_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"]),
        "deps": attr.label_list(providers = [ProtoSourcesInfo]),
        "import_root": attr.string(),
    },
)

def _relative(file, root):
    return file.path[len(root) + 1:] if root != "." else file.path

def _protoc_impl(ctx):
    info = ctx.attr.protos[ProtoSourcesInfo]
    root = _root(ctx)
    out_root = _join(ctx.bin_dir.path, ctx.label.workspace_root, ctx.attr.import_root)
    outputs = []
    sources = [f for f in ctx.files.srcs]
    services = [f for f in sources if f.basename in ctx.attr.services]
    for f in sources:
        stem = f.basename[:-len(".proto")]
        suffixes = [".pb.h", ".pb.cc"] + ([".grpc.pb.h", ".grpc.pb.cc"] if f in services else [])
        outputs += [ctx.actions.declare_file(stem + s) for s in suffixes]
    includes = ["-I" + r for r in info.roots.to_list()] + ["-I/usr/include"]
    commands = ["protoc %s --cpp_out=%s %s" % (
        " ".join(includes),
        out_root,
        " ".join([_relative(f, root) for f in sources]),
    )]
    if services:
        commands.append("protoc %s --plugin=protoc-gen-grpc=$(command -v grpc_cpp_plugin) --grpc_out=%s %s" % (
            " ".join(includes),
            out_root,
            " ".join([_relative(f, root) for f in services]),
        ))
    ctx.actions.run_shell(
        outputs = outputs,
        inputs = info.sources,
        command = " && ".join(commands),
        mnemonic = "Protoc",
        progress_message = "Generating C++ for %s" % ctx.label,
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset(outputs)), OutputGroupInfo(
        headers = depset([f for f in outputs if f.extension == "h"]),
        sources = depset([f for f in outputs if f.extension == "cc"]),
    )]

_protoc = rule(
    implementation = _protoc_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"]),
        "services": attr.string_list(),
        "protos": attr.label(providers = [ProtoSourcesInfo]),
        "import_root": attr.string(),
    },
)

def _protoset_impl(ctx):
    info = ctx.attr.protos[ProtoSourcesInfo]
    root = _root(ctx)
    out = ctx.actions.declare_file(ctx.label.name + ".protoset")
    ctx.actions.run_shell(
        outputs = [out],
        inputs = info.sources,
        command = "protoc %s -I/usr/include --include_imports --include_source_info --descriptor_set_out=%s %s" % (
            " ".join(["-I" + r for r in info.roots.to_list()]),
            out.path,
            " ".join([_relative(f, root) for f in ctx.files.srcs]),
        ),
        mnemonic = "Protoset",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles(files = [out]))]

_protoset = rule(
    implementation = _protoset_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"]),
        "protos": attr.label(providers = [ProtoSourcesInfo]),
        "import_root": attr.string(),
    },
)

def callbridge_proto(name, srcs, services = [], deps = [], import_root = "proto", visibility = None):
    """Generates C++ for one directory of protos.

    Args:
      name: the cc_library.
      srcs: .proto files of this package.
      services: those of `srcs` that define gRPC services.
      deps: other callbridge_proto targets whose files these import.
      import_root: the directory, from the workspace's root, that imports are relative to.
      visibility: of all targets made here.
    """
    _proto_sources(
        name = name + "_protos",
        srcs = srcs,
        deps = [d + "_protos" for d in deps],
        import_root = import_root,
        visibility = visibility,
    )
    _protoc(
        name = name + "_generated",
        srcs = srcs,
        services = services,
        protos = ":" + name + "_protos",
        import_root = import_root,
        visibility = ["//visibility:private"],
    )
    _protoset(
        name = name + "_protoset",
        srcs = srcs,
        protos = ":" + name + "_protos",
        import_root = import_root,
        visibility = visibility,
    )
    for group in ["headers", "sources"]:
        native.filegroup(
            name = name + "_" + group,
            srcs = [":" + name + "_generated"],
            output_group = group,
            visibility = ["//visibility:private"],
        )
    callbridge_cc_library(
        name = name,
        srcs = [":" + name + "_sources"],
        hdrs = [":" + name + "_headers"],
        strip_include_prefix = "/" + import_root if import_root else None,
        copts = ["-w"],
        visibility = visibility,
        deps = deps + [str(Label("//third_party/protobuf"))] +
               ([str(Label("//third_party/grpc"))] if services else []),
    )
