using System.Text;
using Breakwater.Proxy.Documents;

namespace Breakwater.Proxy.Tests.Documents;

public class GeoOrderTests
{
    [Theory]
    [InlineData("api/v1.0/geo/vm.site/a.example.org", "1\n")]
    [InlineData("api/v1.0/geo/vm.site/a.example.org,b.example.org,c.example.org", "1,2,3\n")]
    public void AsAsked_Servers_KeepTheirOrder(string path, string expected) =>
        Assert.Equal(expected, Encoding.ASCII.GetString(GeoOrder.AsAsked(path, 0).Body.Span));
}
