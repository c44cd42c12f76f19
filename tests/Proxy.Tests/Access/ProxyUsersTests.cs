using System.Text;
using Breakwater.Proxy.Access;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>Which values of <c>Proxy-Authorization</c> are right.</summary>
public sealed class ProxyUsersTests
{
    private readonly ProxyUsers _users = new(new Dictionary<string, string> { ["alice"] = "se:cret", [""] = "nameless" });

    [Theory]
    [InlineData("alice:se:cret", true)]
    [InlineData("alice:se", false)]
    [InlineData("Alice:se:cret", false)]
    [InlineData(":nameless", true)]
    [InlineData("", false)]
    [InlineData(":", false)]
    public void Allows_NameAndPassword_PartedByTheFirstColon(string credentials, bool isAllowed) =>
        Assert.Equal(isAllowed, _users.Allows("Basic " + Encoded(credentials)));

    [Theory]
    [InlineData("basic ", "", true)]
    [InlineData("Basic  ", "  ", true)]
    [InlineData("Basic", "", false)]
    [InlineData("Bearer ", "", false)]
    [InlineData("", "", false)]
    [InlineData("Basic !", "", false)]
    public void Allows_RightCredentials_InTheFormOfBasicAlone(string before, string behind, bool isAllowed) =>
        Assert.Equal(isAllowed, _users.Allows(before + Encoded("alice:se:cret") + behind));

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public void Allows_Value_UpToItsLongest(int length, bool isAllowed) =>
        Assert.Equal(isAllowed, _users.Allows(("Basic " + Encoded("alice:se:cret")).PadRight(length)));

    [Fact]
    public void Allows_NothingSent_IsFalse() => Assert.False(_users.Allows(null));

    [Fact]
    public void Replace_ByOthers_CountsFromThenOn()
    {
        Assert.True(_users.AreRequired);

        _users.Replace(new Dictionary<string, string> { ["bob"] = "x" });
        Assert.Equal((true, false, true),
            (_users.AreRequired, _users.Allows("Basic " + Encoded("alice:se:cret")), _users.Allows("Basic " + Encoded("bob:x"))));

        _users.Replace(new Dictionary<string, string>());
        Assert.False(_users.AreRequired);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("x", true)]
    [InlineData("sha256:", false)]
    [InlineData("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true)]
    [InlineData("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", true)]
    [InlineData("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", false)]
    [InlineData("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", false)]
    [InlineData("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg", false)]
    [InlineData("SHA256:x", true)]
    public void IsValid_Password_OrTheWholeHashOfOne(string password, bool isValid) => Assert.Equal(isValid, ProxyUsers.IsValid(password));

    private static string Encoded(string credentials) => Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));
}
