#ifndef CALLBRIDGE_SRC_SIM_XML_READER_H_
#define CALLBRIDGE_SRC_SIM_XML_READER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace callbridge::sim {

// An element of an XML document.
struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // Its own character data without its children's, white space at both ends removed.
  std::vector<XmlElement> children;

  // The attribute's value, or `otherwise`.
  std::string Attribute(const std::string& name, absl::string_view otherwise = "") const;
};

// The root of a well-formed document. kInvalidArgument with expat's words and the line: anything else. Document types
// are refused: nobody who answers a carrier needs entities of their own.
absl::StatusOr<XmlElement> ReadXml(absl::string_view text);

}  // namespace callbridge::sim

#endif  // CALLBRIDGE_SRC_SIM_XML_READER_H_
