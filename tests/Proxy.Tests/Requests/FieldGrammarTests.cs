using System.Text;
using Breakwater.Proxy.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Breakwater.Proxy.Tests.Requests;

public sealed class FieldGrammarTests
{
    [Theory]
    [InlineData("Accept", "a\tb", true)]
    [InlineData("X-1_~!#$%&'*+.^`|", "", true)]
    [InlineData("X", "\u00e9", true)]
    [InlineData("X Y", "a", false)]
    [InlineData("X:", "a", false)]
    [InlineData("", "a", false)]
    [InlineData("X\u00e9", "a", false)]
    [InlineData("X", "a\0", false)]
    [InlineData("X", "\u001f", false)]
    [InlineData("X", "\u007f", false)]
    [InlineData("X", "\r", false)]
    [InlineData("X", "\n", false)]
    public void AreValid_NameAndValue_AreATokenAndFreeOfControls(string name, string value, bool expected)
    {
        Assert.Equal(expected, FieldGrammar.AreValid(Fields((name, value))));
        Assert.Equal(expected,
            FieldGrammar.AreValid(Fields(("Before", "x"), (name, new StringValues([null, "first", value])), ("Z", "x"))));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("plain", "plain")]
    [InlineData("Z\u00c3\u00bcrich", "Z\u00fcrich")] // UTF-8, read as Latin-1
    public void ToText_BytesOfAField_AreReadAsUtf8(string? field, string? text) => Assert.Equal(text, FieldGrammar.ToText(field));

    [Theory]
    [InlineData("", false)]
    [InlineData("a", false)]
    [InlineData("\r\n", false)]
    [InlineData("a\r\nbc\r\n", false)] // the second is as far from the first as that from the start
    [InlineData("a\r\n\r\nbcdef\r\n", false)]
    [InlineData("\n", true)]
    [InlineData("a\n", true)]
    [InlineData("\n\r", true)]
    [InlineData("a\r\n\n", true)]
    [InlineData("a\r\nb\n", true)]
    [InlineData("a\r\nb\nc\r\n", true)]
    [InlineData("\r\nabcd\r\nef\n\r\n", true)]
    public void HasBareLineFeed_OneWithoutCarriageReturn_IsFoundWhereverItStands(string text, bool expected) =>
        Assert.Equal(expected, FieldGrammar.HasBareLineFeed(Encoding.ASCII.GetBytes(text)));

    private static HeaderDictionary Fields(params (string Name, StringValues Values)[] fields) =>
        new(fields.ToDictionary(f => f.Name, f => f.Values, StringComparer.OrdinalIgnoreCase));
}
