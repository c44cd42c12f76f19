using System.Formats.Asn1;

namespace Breakwater.TestSupport;

/// <summary>A name of an answer with its value: the tag's class and number, and the value as text; null for what carries none.</summary>
public sealed record SnmpVariable(string Name, TagClass Class, int Tag, string? Value);
