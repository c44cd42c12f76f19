using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Serialization;

namespace Breakwater.Repositories;

/// <summary>
/// The fully qualified name of a repository, such as <c>atlas.cern.ch</c>. Two are equal when their texts are, byte for byte. The value
/// that was never set is no repository's name; its text is empty.
/// </summary>
[JsonConverter(typeof(FqrnJson))]
public readonly record struct Fqrn : IComparable<Fqrn>
{
    /// <summary>No name is longer, in bytes.</summary>
    public const int MaxLength = 255;

    private static readonly SearchValues<byte> s_characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"u8);

    private readonly string? _text;

    private Fqrn(string text) => _text = text;

    /// <summary>
    /// May a repository have this name? 1 to <see cref="MaxLength"/> letters, digits, '-' and '_' in parts with dots between them; it does
    /// not begin with '-'.
    /// </summary>
    public static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxLength && name[0] is not ((byte)'.' or (byte)'-') && name[^1] != (byte)'.' && name.IndexOf(".."u8) < 0
        && !name.ContainsAnyExcept(s_characters);

    /// <summary>Takes a text that may be any. False: it is not a name.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out Fqrn name)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        bool isName = text is { Length: <= MaxLength } && Ascii.FromUtf16(text, bytes, out int length) == OperationStatus.Done
            && IsName(bytes[..length]);
        name = isName ? new Fqrn(text!) : default;
        return isName;
    }

    /// <summary>Takes a text that is known to be a name.</summary>
    /// <exception cref="FormatException">It is not a name.</exception>
    public static Fqrn Parse(string text) =>
        TryParse(text, out Fqrn name) ? name : throw new FormatException($"'{text}' is not the name of a repository.");

    /// <summary>By the order of their characters.</summary>
    public int CompareTo(Fqrn other) => string.CompareOrdinal(ToString(), other.ToString());

    /// <summary>The text; empty: never set.</summary>
    public override string ToString() => _text ?? "";

    /// <summary>Does the first come before the second?</summary>
    public static bool operator <(Fqrn left, Fqrn right) => left.CompareTo(right) < 0;

    /// <summary>Does the first come before the second, or are they equal?</summary>
    public static bool operator <=(Fqrn left, Fqrn right) => left.CompareTo(right) <= 0;

    /// <summary>Does the first come after the second?</summary>
    public static bool operator >(Fqrn left, Fqrn right) => left.CompareTo(right) > 0;

    /// <summary>Does the first come after the second, or are they equal?</summary>
    public static bool operator >=(Fqrn left, Fqrn right) => left.CompareTo(right) >= 0;
}
