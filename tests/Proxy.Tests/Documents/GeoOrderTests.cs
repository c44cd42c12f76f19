using System.Text;
using Breakwater.Proxy.Documents;

namespace Breakwater.Proxy.Tests.Documents;

public class GeoOrderTests
{
    [Theory]
    [InlineData("api/v1.0/geo/vm.site/a.example.org", "1\n")]
    [InlineData("api/v1.0/geo/vm.site/a.example.org,b.example.org,c.example.org", "1,2,3\n")]
    public void AsAsked_Servers_KeepTheirOrder(string path, string expected) =>
        Assert.Equal(expected, Encoding.ASCII.GetString(GeoOrder.AsAsked(path, default).Body.Span));

    [Fact]
    public void AsAsked_LikeAStratum1sError_IsGoodForFiveMinutes() =>
        Assert.Equal(TimeSpan.FromMinutes(5), GeoOrder.AsAsked("api/v1.0/geo/vm.site/a.example.org", default).Lifetime);

    [Theory]
    [InlineData("3,1,2\n", true)]
    [InlineData("1,2,3", true)]
    [InlineData(" 2,3,1\r\n", true)]
    [InlineData("2, 3, 1\n", true)]
    [InlineData("", false)]
    [InlineData("\n", false)]
    [InlineData("2,1\n", false)]
    [InlineData("1,2,3,4\n", false)]
    [InlineData("1,1,2\n", false)]
    [InlineData("7,8,9\n", false)]
    [InlineData("0,1,2\n", false)]
    [InlineData("-1,2,3\n", false)]
    [InlineData("+1,2,3\n", false)]
    [InlineData("1,2,\n", false)]
    [InlineData(",1,2,3\n", false)]
    [InlineData("1,2,3\n1,2,3\n", false)]
    [InlineData("1,2,3x\n", false)]
    [InlineData("1 2 3\n", false)]
    [InlineData("1,2,4294967299\n", false)]
    [InlineData("<html>please log in</html>", false)]
    public void Fault_AnswerOfAStratum1_MustBeAnOrderOfTheServers(string body, bool isOrder) =>
        Assert.Equal(isOrder,
        GeoOrder.Fault("api/v1.0/geo/127.0.0.1/[::1],b.example.org,c.example.org:8000", Encoding.ASCII.GetBytes(body)) is null);
}
