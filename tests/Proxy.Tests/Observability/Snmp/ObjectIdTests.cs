using Breakwater.Proxy.Observability.Snmp;

namespace Breakwater.Proxy.Tests.Observability.Snmp;

public sealed class ObjectIdTests
{
    [Theory]
    [InlineData("1.3.2.0", "1.3.2", true)]
    [InlineData("1.3.2.1", "1.3.2", false)]     // a row of a table
    [InlineData("1.3.2.5.0", "1.3.2", false)]
    [InlineData("1.3.4.0", "1.3.2", false)]
    [InlineData("1.3.4.1", "1.3.2", false)]
    [InlineData("1.3.2", "1.3.2", false)]
    [InlineData("1.3.0", "1.3.0", false)]
    [InlineData("1.3", "1.3.0", false)]
    public void IsInstanceOf_AScalar_IsItsNameAndAZero(string instance, string name, bool expected) =>
        Assert.Equal(expected, Parse(instance).IsInstanceOf(Parse(name)));

    [Theory]
    [InlineData("1.3.2", "1.3.10", -1)]
    [InlineData("1.3", "1.3.0", -1)]
    [InlineData("1.3.4294967295", "1.3.5", 1)]
    [InlineData("1.3.1", "1.3.1", 0)]
    public void CompareTo_OfNames_IsByTheirNumbers(string one, string other, int expected) =>
        Assert.Equal(expected, Math.Sign(Parse(one).CompareTo(Parse(other))));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void TryParse_OfNumbers_TakesSixtyFour(int numbers, bool expected) =>
        Assert.Equal(expected, ObjectId.TryParse(string.Join('.', Enumerable.Repeat(1, numbers)), out _));

    [Theory]
    [InlineData("")]
    [InlineData("1..3")]
    [InlineData("1.-3")]
    [InlineData("1.4294967296")]
    public void TryParse_OfAnythingElse_IsFalse(string text) => Assert.False(ObjectId.TryParse(text, out _));

    private static ObjectId Parse(string text)
    {
        Assert.True(ObjectId.TryParse(text, out ObjectId? id));
        Assert.Equal(text, id.ToString());
        return id;
    }
}
