// What every message and RPC of the contract promises in its comments, read from the protoset that operators use.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

std::string g_protoset;

template <typename Element>
std::string CommentOf(const Element* element) {
  google::protobuf::SourceLocation location;
  return element->GetSourceLocation(&location) ? location.leading_comments : "";
}

class ProtosTest : public testing::Test {
 protected:
  void SetUp() override {
    google::protobuf::FileDescriptorSet set;
    std::ifstream in(g_protoset, std::ios::binary);
    ASSERT_TRUE(set.ParseFromIstream(&in)) << g_protoset;
    for (const auto& file : set.file()) {
      const FileDescriptor* built = pool_.BuildFile(file);
      ASSERT_NE(built, nullptr) << file.name();
      if (file.package() == "callbridge.v1") files_.push_back(built);
    }
    ASSERT_EQ(files_.size(), 9);
  }

  google::protobuf::DescriptorPool pool_;
  std::vector<const FileDescriptor*> files_;
};

TEST_F(ProtosTest, EachRpcSaysItsErrorsAndWhatARepeatDoes) {
  int methods = 0;
  for (const FileDescriptor* const file : files_) {
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j, ++methods) {
        const auto* method = file->service(i)->method(j);
        SCOPED_TRACE(method->full_name());
        const std::string comment = CommentOf(method);
        EXPECT_TRUE(absl::StrContains(comment, "Errors:"));
        const std::string lower = absl::AsciiStrToLower(comment);
        EXPECT_TRUE(absl::StrContains(lower, "repeat") || absl::StrContains(lower, "at least once")) << comment;
        EXPECT_EQ(method->input_type()->name(), method->name() + "Request");
        EXPECT_EQ(method->output_type()->name(), method->name() + "Response");
        const std::string options = method->options().ShortDebugString();
        EXPECT_TRUE(absl::StrContains(options, "scope") || absl::StrContains(options, "51740")) << "who may use it";
      }
    }
  }
  EXPECT_EQ(methods, 33);
}

void CheckFields(const Descriptor* message) {
  const bool response =
      absl::EndsWith(message->name(), "Response") || message->name() == "Heartbeat" || message->name() == "CaughtUp";
  for (int i = 0; i < message->field_count(); ++i) {
    const auto* field = message->field(i);
    if (message->options().map_entry()) continue;
    const std::string comment = CommentOf(field);
    EXPECT_FALSE(comment.empty()) << field->full_name();
    // Fields of responses and choices of what a message says are what they are.
    if (response || (field->containing_oneof() != nullptr && message->name() == "CallEvent")) continue;
    EXPECT_TRUE(absl::StartsWith(comment, " REQUIRED.") || absl::StartsWith(comment, " OPTIONAL") ||
                absl::StartsWith(comment, " OUTPUT_ONLY."))
        << field->full_name() << ":" << comment;
  }
}

TEST_F(ProtosTest, EachFieldSaysWhoSetsIt) {
  for (const FileDescriptor* file : files_) {
    for (int i = 0; i < file->message_type_count(); ++i) CheckFields(file->message_type(i));
  }
}

TEST_F(ProtosTest, EachEnumBeginsUnspecified) {
  for (const FileDescriptor* file : files_) {
    for (int i = 0; i < file->enum_type_count(); ++i) {
      const auto* type = file->enum_type(i);
      EXPECT_EQ(type->value(0)->number(), 0) << type->name();
      EXPECT_TRUE(absl::EndsWith(type->value(0)->name(), "_UNSPECIFIED")) << type->name();
      EXPECT_TRUE(absl::StrContains(CommentOf(type), "added") || type->name() == "TranscriptView")
          << type->name() << " says whether it grows";
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) g_protoset = argv[1];
  return RUN_ALL_TESTS();
}
