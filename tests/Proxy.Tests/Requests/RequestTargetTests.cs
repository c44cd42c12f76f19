using System.Text;
using Breakwater.CacheStore;
using Breakwater.Proxy.Requests;
using CsCheck;

namespace Breakwater.Proxy.Tests.Requests;

public class RequestTargetTests
{
    private const string Hash = "8d9834068db389718f64a222c7bf3fd9b4831e3c";
    private static readonly string[] s_pieces =
        ["/cvmfs/", "a.cern.ch", "/", "..", ".", "%2e", "%2F", "data/", "http://", "@", ":", "[", "]", ".cvmfspublished", Hash, "?", "\0",
        " ", "\\"];

    private const string DataPath = "data/8d/9834068db389718f64a222c7bf3fd9b4831e3c";

    [Theory]
    [InlineData("", "")]
    [InlineData("C", "C")]
    [InlineData("P", "P")]
    [InlineData("-rmd160", "-rmd160")]
    [InlineData("-rmd160C", "-rmd160C")]
    [InlineData("-shake128H", "-shake128H")]
    public void Parse_ObjectInBothForms_GivesTheSameKey(string suffix, string expected)
    {
        foreach (string prefix
            in new[] { "", "http://s1.example.org", "http://s1.example.org:8000", "http://[2001:db8::1]:80", "http://10.0.0.1" })
        {
            RequestTarget target = Parse($"{prefix}/cvmfs/minios.example.org/{DataPath}{suffix}");

            Assert.Equal(TargetKind.Object, target.Kind);
            Assert.Equal(Hash + expected, target.Key.ToString());
            Assert.Equal("minios.example.org", Text(target.Fqrn));
            Assert.Equal(DataPath + suffix, Text(target.Path));
            Assert.Equal(prefix.Length > 0, target.IsAbsoluteForm);
            Assert.Equal(prefix.Length == 0 ? "" : prefix[(prefix.IndexOf("//", StringComparison.Ordinal) + 2)..], Text(target.Authority));
        }
    }

    [Fact]
    public void Parse_AlternativeCatalog_IsTheSameObject()
    {
        RequestTarget target = Parse($"/cvmfs/a.example.org/.cvmfsalt-{Hash}C");

        Assert.Equal(TargetKind.Object, target.Kind);
        Assert.Equal(ObjectKey.Parse(Hash + "C"), target.Key);
    }

    [Theory]
    [InlineData("/cvmfs/a.cern.ch/.cvmfspublished", TargetKindName.Document)]
    [InlineData("/cvmfs/a.cern.ch/.cvmfswhitelist", TargetKindName.Document)]
    [InlineData("/cvmfs/a.cern.ch/.cvmfswhitelist.pkcs7", TargetKindName.Document)]
    [InlineData("/cvmfs/a.cern.ch/.cvmfs_master_replica", TargetKindName.Document)]
    [InlineData("/cvmfs/a.cern.ch/.cvmfs_status.json", TargetKindName.Document)]
    [InlineData("/cvmfs/info/v1/repositories.json", TargetKindName.Document)]
    [InlineData("http://s1/cvmfs/info/v1/meta.json", TargetKindName.Document)]
    [InlineData("http://h/cvmfs/info/v1/meta.json", TargetKindName.Document)]
    [InlineData("/cvmfs/a.cern.ch/api/v1.0/geo/vm17.site/s1.example.org,s2.example.org", TargetKindName.Geo)]
    [InlineData("/cvmfs/a.cern.ch/api/v1.0/geo/127.0.0.1/[::1],localhost", TargetKindName.Geo)]
    [InlineData("/cvmfs/a.cern.ch/some/external%20file.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/run[12].root", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/C:%5Cx.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/50%25.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/%2541.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/tab%09new%0Aline%0D%7F%01", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/Z%FCrich%FF.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/run1.dat", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8d/xyz", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8D/9834068DB389718F64A222C7BF3FD9B4831E3C", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8d/9834068db389718f64a222c7bf3fd9b4831e3cQ", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8d/9834068db389718f64a222c7bf3fd9b4831e3", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8d/9834068db389718f64a222c7bf3fd9b4831e3c/x", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8dX9834068db389718f64a222c7bf3fd9b4831e3c", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8d9834068db389718f64a222c7bf3fd9b4831e3c/", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/data/8/d9834068db389718f64a222c7bf3fd9b4831e3c", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/x/data/8d/9834068db389718f64a222c7bf3fd9b4831e3c", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/dato/8d/9834068db389718f64a222c7bf3fd9b4831e3c", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/.cvmfs/x", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/x%25g0", TargetKindName.PassThrough)]
    [InlineData("/cvmfs/a.cern.ch/x%252", TargetKindName.PassThrough)] // half an escape once it is decoded
    public void Parse_OtherPaths_AreClassified(string text, TargetKindName kind) => Assert.Equal((TargetKind)kind, Parse(text).Kind);

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("cvmfs")]
    [InlineData("example.org:443")]
    [InlineData("http:///cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://user:pass@s1/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://user@s1/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1:0/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1:65536/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1:/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1:8o/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://[::1/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://[::g]/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1..x/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1\\x/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http://s1")]
    [InlineData("/cvmfs//a.b/.cvmfspublished")]
    [InlineData("/cvmfs/a.b//.cvmfspublished")]
    [InlineData("/cvmfs/a.b/../c.d/.cvmfspublished")]
    [InlineData("/cvmfs/a.b/./.cvmfspublished")]
    [InlineData("/cvmfs/../etc/passwd")]
    [InlineData("/cvmfs/a.b/%2e%2e/x")]
    [InlineData("/cvmfs/a.b/x%2fy")]
    [InlineData("/cvmfs/a.b/x%2Fy")]
    [InlineData("/cvmfs/a.b/x%00y")]
    [InlineData("/cvmfs/a.b/..%5Cx")]
    [InlineData("/cvmfs/a.b/x%5C..%5Cy")]
    [InlineData("/cvmfs/a.b/%252e%252e/x")]
    [InlineData("/cvmfs/a.b/x%252f..%252fy")]
    [InlineData("/cvmfs/a.b/%25252e%25252e%25252fx")]
    [InlineData("/cvmfs/a.b/..%255cx")]
    [InlineData("/cvmfs/a.b/x%2500")]
    [InlineData("/cvmfs/a.b/%c0%ae%c0%ae/x")]
    [InlineData("/cvmfs/a.b/x%c0%afy")]
    [InlineData("/cvmfs/a.b/x%e0%80%afy")]
    [InlineData("/cvmfs/a.b/x%f0%80%80%afy")]
    [InlineData("/cvmfs/a.b/x%c1%9cy")]
    [InlineData("/cvmfs/a.b/.cvmfspublished%0a")]
    [InlineData("/cvmfs/a.b/d%61ta/x")]
    [InlineData("/cvmfs/a.b/x%")]
    [InlineData("/cvmfs/a.b/api/v1.0/geo/vm%31.site/s1")]
    [InlineData("/cvmfs/a.b/api/v1.0/geo/%20/s1")]
    [InlineData("/cvmfs/a.b/x%2")]
    [InlineData("/cvmfs/a.b/x%2z")]
    [InlineData("/cvmfs/a.b/x%z2")]
    [InlineData("/cvmfs/a.b/x%20?y")]
    [InlineData("/cvmfs/a.b/.")]
    [InlineData("/cvmfs/a.b/x/..")]
    [InlineData("/cvmfs/a.b/%252e")]
    [InlineData("/?")]
    [InlineData("://s1/cvmfs/a.b/.cvmfspublished")]
    [InlineData("http:///")]
    [InlineData("/cvmfs/a.b/x%zz")]
    [InlineData("/cvmfs/a.b/.cvmfspublished?x=1")]
    [InlineData("/cvmfs/a.b/.cvmfspublished#x")]
    [InlineData("/cvmfs/a b/.cvmfspublished")]
    [InlineData("/cvmfs/-a.b/.cvmfspublished")]
    [InlineData("/cvmfs/.a.b/.cvmfspublished")]
    [InlineData("/cvmfs/a%2eb/.cvmfspublished")]
    [InlineData("/cvmfs/a.b/\u00e9")]
    public void Parse_OutsideTheGrammar_IsMalformed(string text)
    {
        RequestTarget target = Parse(text);

        Assert.Equal(TargetKind.Rejected, target.Kind);
        Assert.Equal(TargetRejection.Malformed, target.Rejection);
    }

    [Theory]
    [InlineData("https://s1/cvmfs/a.b/.cvmfspublished", "Scheme")]
    [InlineData("ftp://s1/cvmfs/a.b/.cvmfspublished", "Scheme")]
    [InlineData("HTTP://s1/cvmfs/a.b/.cvmfspublished", "Scheme")]
    [InlineData("/", "NotCvmfs")]
    [InlineData("/cvmfs", "NotCvmfs")]
    [InlineData("/etc/passwd", "NotCvmfs")]
    [InlineData("http://www.example.org/", "NotCvmfs")]
    [InlineData("/a./x", "NotCvmfs")]
    [InlineData("/cvmfs/info/v2/x", "NotCvmfs")]
    [InlineData("/cvmfs/info/v2/x.json", "NotCvmfs")]
    [InlineData("/cvmfs/info/v1/x", "NotCvmfs")]
    [InlineData("/cvmfs/info/v1/x/y.json", "NotCvmfs")]
    [InlineData("/cvmfs/info/v1/@y.json", "NotCvmfs")]
    [InlineData("/cvmfs/info/data/8d/9834068db389718f64a222c7bf3fd9b4831e3c", "NotCvmfs")]
    [InlineData("/cvmfs/a.b/", "NotCvmfs")]
    [InlineData("/cvmfs/a.b/.cvmfsalt-zz", "NotAnObject")]
    public void Parse_NotServed_SaysWhy(string text, string reason)
    {
        RequestTarget target = Parse(text);

        Assert.Equal(TargetKind.Rejected, target.Kind);
        Assert.Equal(reason, target.Rejection.ToString());
    }

    /// <summary>The client leaves letters, digits and a few others as they are, and escapes every other byte of a name.</summary>
    [Fact]
    public void Parse_AnyNameAsTheClientEscapesIt_IsPassedThroughUnlessItLeadsElsewhere() => Gen.Byte.Array[1, 24].Sample(name =>
    {
        byte[] file = [.. name.Where(b => b is not (0 or (byte)'/'))];
        string escaped =
            string.Concat(
            file.Select(b => char.IsAsciiLetterOrDigit((char)b) || "/:.@+-_~[],".Contains((char)b, StringComparison.Ordinal)
            ? $"{(char)b}"
            : $"%{b:X2}"));
        string target = $"/cvmfs/a.example.org/store/x{escaped}";
        bool isHarmless = EscapedNames.AreHarmless(Encoding.ASCII.GetBytes(target));
        return Parse(target).Kind == (isHarmless ? TargetKind.PassThrough : TargetKind.Rejected)
            && (isHarmless || file.Any(b => b is (byte)'\\' or (byte)'%' or 0xC0 or 0xC1 or 0xE0 or 0xF0));
    });

    /// <summary>Each level is one more pass over the path, on a loop that serves thousands: 4 KiB could be 2,000 levels.</summary>
    [Theory]
    [InlineData(1, "PassThrough")]
    [InlineData(4, "PassThrough")]
    [InlineData(5, "Rejected")]
    [InlineData(2000, "Rejected")]
    public void Parse_EscapesHiddenInEscapes_AreUndoneAFewLevelsDeep(int hidden, string kind) =>
        Assert.Equal(kind, Parse($"/cvmfs/a.b/x%25{string.Concat(Enumerable.Repeat("25", hidden))}41").Kind.ToString());

    [Theory]
    [InlineData(0, "None")]
    [InlineData(1, "TooLong")]
    public void Parse_TooLong_IsRefusedBeforeAnythingElse(int more, string rejection)
    {
        Assert.Equal(rejection, Parse("/cvmfs/a.b/".PadRight(RequestTarget.MaxLength + more, 'x')).Rejection.ToString());
        Assert.Equal(more > 0, Parse(new string('?', RequestTarget.MaxLength + more)).Rejection == TargetRejection.TooLong);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("/etc", false)]
    [InlineData("/cvmfs//x", false)]
    [InlineData("x", true)]
    [InlineData("https://h/cvmfs/a.b/x", true)]
    [InlineData("http://:80/cvmfs/a.b/x", true)]
    [InlineData("http://h/etc", true)]
    [InlineData("http://h/cvmfs//x", true)]
    [InlineData("http://h/cvmfs/a.b/.cvmfsalt-zz", true)]
    public void Parse_NotServed_SaysInWhichFormItCame(string text, bool isAbsoluteForm)
    {
        RequestTarget target = Parse(text);

        Assert.Equal((TargetKind.Rejected, isAbsoluteForm), (target.Kind, target.IsAbsoluteForm));
    }

    [Fact]
    public void Parse_AnyBytes_NeverThrowsAndNeverLeavesTheRepository()
    {
        Gen<byte[]> piece = Gen.OneOf(
            Gen.Int[0, s_pieces.Length - 1].Select(i => Encoding.Latin1.GetBytes(s_pieces[i])),
            Gen.Byte.Array[0, 4]);
        piece.Array[0, 12].Sample(pieces =>
        {
            byte[] bytes = [.. pieces.SelectMany(p => p)];
            RequestTarget target = RequestTarget.Parse(bytes);
            if (target.Kind == TargetKind.Rejected)
            {
                return true;
            }

            string path = Uri.UnescapeDataString(Text(target.Path));
            return target.Fqrn.Length > 0 && !path.Split('/').Contains("..") && !path.Contains('\\', StringComparison.Ordinal)
                && !path.Any(char.IsControl);
        });
    }

    /// <summary>Public names for the theory's data: the enum itself is internal.</summary>
    public enum TargetKindName : byte
    {
        Document = 2,
        Geo = 3,
        PassThrough = 4,
    }

    private static RequestTarget Parse(string text) => RequestTarget.Parse(Encoding.Latin1.GetBytes(text));

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
