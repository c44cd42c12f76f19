using System.Text;
using System.Text.Json;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Repositories;

public sealed class FqrnTests
{
    [Theory]
    [InlineData("atlas.cern.ch", true)]
    [InlineData("info", true)]
    [InlineData("A-b_9.x", true)]
    [InlineData("_a.b", true)]
    [InlineData("", false)]
    [InlineData(".a", false)]
    [InlineData("-a.b", false)]
    [InlineData("a.", false)]
    [InlineData("a..b", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä.example.org", false)]
    [InlineData("a.example.org\n", false)]
    public void TryParse_AText_IsANameOrNot(string text, bool isName)
    {
        Assert.Equal(isName, Fqrn.TryParse(text, out Fqrn name));
        Assert.Equal(isName, Fqrn.IsName(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(isName ? text : "", name.ToString());
    }

    [Fact]
    public void TryParse_OfAnyLength_TakesUpTo255()
    {
        Assert.True(Fqrn.TryParse(new string('a', Fqrn.MaxLength), out _));
        Assert.False(Fqrn.TryParse(new string('a', Fqrn.MaxLength + 1), out _));
        Assert.False(Fqrn.TryParse(null, out _));
        Assert.Throws<FormatException>(() => Fqrn.Parse("a b"));
    }

    [Fact]
    public void Equals_ByteForByte_AsTheOrderIs()
    {
        Fqrn[] names = [Fqrn.Parse("b.org"), Fqrn.Parse("A.org"), Fqrn.Parse("a.org")];
        Assert.Equal(Fqrn.Parse("a.org"), names[2]);
        Assert.Equal(Fqrn.Parse("a.org").GetHashCode(), names[2].GetHashCode());
        Assert.NotEqual(names[1], names[2]);
        Assert.Equal(["A.org", "a.org", "b.org"], names.Order().Select(name => name.ToString()));
        Assert.Equal("", default(Fqrn).ToString());
        Assert.NotEqual(default, names[0]);
    }

    [Fact]
    public void Json_IsTheText_AlsoAsAPropertysName()
    {
        var revisions = new Dictionary<Fqrn, ulong> { [Fqrn.Parse("a.example.org")] = 7 };
        Assert.Equal("""{"a.example.org":7}""", JsonSerializer.Serialize(revisions));
        Assert.Equal(7UL, JsonSerializer.Deserialize<Dictionary<Fqrn, ulong>>("""{"a.example.org":7}""")![Fqrn.Parse("a.example.org")]);
        Assert.Equal("\"a.example.org\"", JsonSerializer.Serialize(Fqrn.Parse("a.example.org")));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Fqrn>("\"../etc\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Fqrn>("null"));
    }
}
