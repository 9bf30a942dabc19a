#include "src/tools/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace callbridge::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kBooking[] = R"({
  "type": "object",
  "description": "A table.",
  "properties": {
    "date": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$", "format": "date"},
    "guests": {"type": "integer", "minimum": 1, "maximum": 12},
    "area": {"enum": ["inside", "garden", 7]},
    "note": {"type": ["string", "null"], "maxLength": 5, "minLength": 1},
    "version": {"const": 2},
    "price": {"type": "number", "minimum": 0.5},
    "vip": {"type": "boolean"},
    "people": {
      "type": "array", "minItems": 1, "maxItems": 2,
      "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"],
                "additionalProperties": false}
    }
  },
  "required": ["date"],
  "additionalProperties": false
})";

TEST(CheckSchemaTest, TakesWhatIsEnforced) {
  EXPECT_TRUE(CheckSchema(kBooking).ok()) << CheckSchema(kBooking);
  EXPECT_TRUE(CheckSchema("").ok());
  EXPECT_TRUE(CheckSchema(R"({"type":"object"})").ok());
}

TEST(CheckSchemaTest, RefusesTheRestByName) {
  const struct {
    const char* name;
    const char* property;  // The schema of a property "p".
    const char* complaint;
  } rows[] = {
      {"unknown keyword", R"({"oneOf":[]})", "properties.p: unknown keyword 'oneOf'"},
      {"reference", R"({"$ref":"#/x"})", "unknown keyword '$ref'"},
      {"misspelt", R"({"type":"string","maxLenght":3})", "unknown keyword 'maxLenght'"},
      {"no schema", R"("string")", "properties.p: a schema is an object"},
      {"unknown type", R"({"type":"text"})", "type must be of: object, array, string"},
      {"empty list of types", R"({"type":[]})", "type must be of"},
      {"type is a number", R"({"type":3})", "type must be of"},
      {"empty enum", R"({"enum":[]})", "enum must be a list"},
      {"enum is a word", R"({"enum":"a"})", "enum must be a list"},
      {"minimum is text", R"({"minimum":"1"})", "minimum must be a number"},
      {"negative length", R"({"maxLength":-1})", "maxLength must be a whole number"},
      {"broken length", R"({"minItems":1.5})", "minItems must be a whole number"},
      {"crossed", R"({"minimum":2,"maximum":1})", "minimum is above maximum"},
      {"crossed lengths", R"({"minLength":2,"maxLength":1})", "minLength is above maxLength"},
      {"broken pattern", R"({"pattern":"("})", "pattern: missing )"},
      {"look-around", R"({"pattern":"(?=a)b"})", "no look-around"},
      {"pattern is a number", R"({"pattern":1})", "pattern must be a string"},
      {"additionalProperties is a schema", R"({"additionalProperties":{}})",
       "additionalProperties must be true or false"},
      {"required is a word", R"({"required":"a"})", "required must be a list of names"},
      {"required is not there", R"({"required":["a"],"additionalProperties":false})", "names 'a', which is not in"},
      {"properties is a list", R"({"properties":[]})", "properties must be an object"},
      {"items is a list", R"({"items":[{}]})", "properties.p.items: a schema is an object"},
      {"deeper", R"({"items":{"properties":{"q":{"not":{}}}}})",
       "properties.p.items.properties.q: unknown keyword 'not'"},
  };
  for (const auto& row : rows) {
    const absl::Status status = CheckSchema(absl::StrCat(R"({"type":"object","properties":{"p":)", row.property, "}}"));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << row.name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.complaint)) << row.name;
  }
}

TEST(CheckSchemaTest, RefusesWhatIsNoSchemaOfArguments) {
  for (const char* schema : {"{", "[]", "3", R"({"type":"string"})", "{}", R"({"properties":{}})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckSchema(schema))) << schema;
  }
}

TEST(CheckSchemaTest, RefusesEndlessNesting) {
  std::string schema;
  for (int i = 0; i < 100'000; ++i) schema += R"({"items":)";
  EXPECT_FALSE(CheckSchema(schema + "{}" + std::string(100'000, '}')).ok());
  schema = R"({"type":"object","properties":{"a":)";
  for (int i = 0; i < 20; ++i) schema += R"({"items":)";
  EXPECT_THAT(std::string(CheckSchema(schema + "{}" + std::string(22, '}')).message()), HasSubstr("nested more than"));
}

TEST(CheckArgumentsTest, Table) {
  const struct {
    const char* name;
    const char* arguments;
    const char* complaint;  // Empty: it fits.
  } rows[] = {
      {"least", R"({"date":"2026-11-22"})", ""},
      {"all", R"({"date":"2026-11-22","guests":12,"area":7,"note":"äöüßé","version":2,"price":0.5,"vip":false,
                  "people":[{"name":""}]})",
       ""},
      {"null where it may be", R"({"date":"2026-11-22","note":null})", ""},
      {"an integer with a fraction of zero", R"({"date":"2026-11-22","guests":4.0})", ""},
      {"missing", "{}", "date: missing; it must be a string that matches ^"},
      {"empty text is no arguments", "", "date: missing"},
      {"another type", R"({"date":20261122})",
       "date: must be a string that matches ^\\d{4}-\\d\\d-\\d\\d$, not 20261122"},
      {"pattern", R"({"date":"tomorrow"})", R"(not "tomorrow")"},
      {"too small", R"({"date":"2026-11-22","guests":0})", "guests: must be an integer from 1 to 12, not 0"},
      {"too large", R"({"date":"2026-11-22","guests":13})", "guests: must be"},
      {"a fraction", R"({"date":"2026-11-22","guests":1.5})", "guests: must be"},
      {"a number as text", R"({"date":"2026-11-22","guests":"2"})", R"(not "2")"},
      {"huge", R"({"date":"2026-11-22","guests":1e300})", "guests: must be"},
      {"not of the enum", R"({"date":"2026-11-22","area":"roof"})",
       R"(area: must be one of "inside", "garden", 7, not "roof")"},
      {"not the const", R"({"date":"2026-11-22","version":3})", "version: must be 2, not 3"},
      {"too long, in characters", R"({"date":"2026-11-22","note":"äöüßéx"})",
       "note: must be a string from 1 to 5 characters or null"},
      {"too short", R"({"date":"2026-11-22","note":""})", "note: must be"},
      {"below", R"({"date":"2026-11-22","price":0.4})", "price: must be a number of at least 0.5"},
      {"no truth", R"({"date":"2026-11-22","vip":"yes"})", "vip: must be true or false"},
      {"too few", R"({"date":"2026-11-22","people":[]})", "people: must be a list from 1 to 2 items"},
      {"too many", R"({"date":"2026-11-22","people":[{"name":"a"},{"name":"b"},{"name":"c"}]})", "people: must be"},
      {"in a list", R"({"date":"2026-11-22","people":[{"name":"a"},{}]})",
       "people[1].name: missing; it must be a string"},
      {"deeper", R"({"date":"2026-11-22","people":[{"name":3}]})", "people[0].name: must be a string, not 3"},
      {"unknown field", R"({"date":"2026-11-22","gests":2})",
       R"("gests": there is no such field; there are: area, date)"},
      {"unknown field deeper", R"({"date":"2026-11-22","people":[{"name":"a","x":1}]})", "there are: name"},
      {"a list", "[]", "the arguments: must be an object, not []"},
      {"no JSON", "{date", "not valid JSON"},
      {"not UTF-8", "{\"date\":\"\xff\"}", "not valid JSON"},
      {"two at once", R"({"guests":0})", "date: missing"},
  };
  for (const auto& row : rows) {
    const absl::Status status = CheckArguments(kBooking, row.arguments);
    EXPECT_EQ(status.ok(), row.complaint[0] == '\0') << row.name << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.complaint)) << row.name;
  }
}

TEST(CheckArgumentsTest, NamesAllProblemsUpToFive) {
  EXPECT_THAT(std::string(CheckArguments(kBooking, R"({"guests":0,"vip":1})").message()),
              AllOf(HasSubstr("date"), HasSubstr("guests"), HasSubstr("vip")));
  const std::string many(CheckArguments(kBooking, R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1})").message());
  EXPECT_EQ(std::count(many.begin(), many.end(), ';'), 9) << many;
}

TEST(CheckArgumentsTest, WithoutASchemaThereAreNone) {
  EXPECT_TRUE(CheckArguments("", "").ok());
  EXPECT_TRUE(CheckArguments("", "{}").ok());
  EXPECT_FALSE(CheckArguments("", R"({"a":1})").ok());
}

TEST(CheckArgumentsTest, AdditionalFieldsAreFineUnlessForbidden) {
  EXPECT_TRUE(CheckArguments(R"({"type":"object"})", R"({"a":[1,{"b":2}]})").ok());
}

TEST(CheckArgumentsTest, BearsWhatAModelWouldNotWrite) {
  EXPECT_FALSE(CheckArguments(kBooking, std::string(60'000, '[')).ok());
  EXPECT_FALSE(CheckArguments(kBooking, std::string(30'000, '[') + std::string(30'000, ']')).ok());
  EXPECT_FALSE(
      CheckArguments(R"({"type":"object"})", absl::StrCat(R"({"a":")", std::string(kMaxArgumentBytes, 'x'), "\"}"))
          .ok());
  // Exponential for a matcher that backtracks.
  const std::string slow = R"({"type":"object","properties":{"a":{"pattern":"^(a+)+$"}}})";
  ASSERT_TRUE(CheckSchema(slow).ok());
  EXPECT_FALSE(CheckArguments(slow, absl::StrCat(R"({"a":")", std::string(50'000, 'a'), "b\"}")).ok());
  const std::string quoted(
      CheckArguments(kBooking, absl::StrCat(R"({"date":")", std::string(5'000, 'x'), "\"}")).message());
  EXPECT_LT(quoted.size(), 200) << "a wrong value is not quoted in full";
}

}  // namespace
}  // namespace callbridge::tools
