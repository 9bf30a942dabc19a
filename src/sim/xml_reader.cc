#include "src/sim/xml_reader.h"

#include <expat.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace callbridge::sim {
namespace {

constexpr size_t kDeepest = 20;

struct Building {
  XML_Parser parser = nullptr;
  std::vector<XmlElement> open;
  XmlElement root;
  std::string refused;  // Why we stopped the parser ourselves.

  void Refuse(std::string why) {
    refused = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }
};

void OnStart(void* user, const XML_Char* name, const XML_Char** attributes) {
  Building& building = *static_cast<Building*>(user);
  if (building.open.size() >= kDeepest) return building.Refuse("elements are nested too deeply");
  XmlElement element;
  element.name = name;
  for (; *attributes != nullptr; attributes += 2) element.attributes[attributes[0]] = attributes[1];
  building.open.push_back(std::move(element));
}

void OnEnd(void* user, const XML_Char* name) {
  Building& building = *static_cast<Building*>(user);
  XmlElement done = std::move(building.open.back());
  building.open.pop_back();
  absl::StripAsciiWhitespace(&done.text);
  if (building.open.empty()) {
    building.root = std::move(done);
  } else {
    building.open.back().children.push_back(std::move(done));
  }
}

void OnText(void* user, const XML_Char* text, int length) {
  Building& building = *static_cast<Building*>(user);
  if (!building.open.empty()) building.open.back().text.append(text, length);
}

void OnDoctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  static_cast<Building*>(user)->Refuse("a document type is not allowed");
}

}  // namespace

std::string XmlElement::Attribute(const std::string& name, absl::string_view otherwise) const {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string(otherwise) : found->second;
}

absl::StatusOr<XmlElement> ReadXml(absl::string_view text) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), XML_ParserFree);
  Building building;
  building.parser = parser.get();
  XML_SetUserData(parser.get(), &building);
  XML_SetElementHandler(parser.get(), OnStart, OnEnd);
  XML_SetCharacterDataHandler(parser.get(), OnText);
  XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
  if (XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE) == XML_STATUS_OK) {
    return std::move(building.root);
  }
  const std::string why = building.refused.empty() ? XML_ErrorString(XML_GetErrorCode(parser.get())) : building.refused;
  return absl::InvalidArgumentError(absl::StrFormat("%s: line %d, column %d", why,
                                                    static_cast<int>(XML_GetCurrentLineNumber(parser.get())),
                                                    static_cast<int>(XML_GetCurrentColumnNumber(parser.get()))));
}

}  // namespace callbridge::sim
