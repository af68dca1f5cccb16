package compress

import (
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/latent"
	"moncae/internal/metric"
)

// Report is the result of a compression, as `compress --json` prints it.
type Report struct {
	Out         string             `json:"out"`
	Rows        int64              `json:"rows"`
	Latent      arch.Shape         `json:"latent"`
	DType       latent.DType       `json:"dtype"`
	Layout      latent.Layout      `json:"layout"`
	Format      latent.Format      `json:"format"`
	Compression latent.Compression `json:"compression"`
	Shards      int                `json:"shards,omitempty"`
	Provider    string             `json:"provider"`
	Batch       int                `json:"batch"`

	BytesRaw     int64   `json:"bytes_raw"`      // the images' pixels as the encoder sees them, a byte each
	BytesSource  int64   `json:"bytes_source"`   // the files that hold them
	BytesPNG     int64   `json:"bytes_png"`      // the same pixels as PNG files, estimated from SampleRows
	BytesOut     int64   `json:"bytes_out"`      // what was written
	ValuesRatio  float64 `json:"values_ratio"`   // an image's values by a latent's
	BitsPerPixel float64 `json:"bits_per_pixel"` // of BytesOut, over height × width

	SampleRows int64    `json:"sample_rows"` // rows that PNG and quality are taken from
	Quality    *Quality `json:"quality"`     // null without a decoder

	// TestOpenings says how often test data was opened for the encoder's run, this
	// time included; null where no run is known, or no test data was read.
	TestOpenings *int `json:"test_openings"`

	Dataset      string            `json:"data"`
	Split        string            `json:"split"`
	Fingerprint  string            `json:"fingerprint,omitempty"`
	Skipped      []dataset.Skipped `json:"skipped,omitempty"`
	Resumed      int64             `json:"resumed_rows,omitempty"` // that were there before
	Seconds      float64           `json:"seconds"`
	ImagesPerSec float64           `json:"images_per_second"`
	Notes        []string          `json:"notes,omitempty"`
}

// Quality is what the decoder gives back from the stored values, over
// SampleRows rows, for pixels in [0, 1].
type Quality struct {
	MSE  float64 `json:"mse"`
	PSNR float64 `json:"psnr"` // metric.MaxPSNR where nothing differs
	SSIM float64 `json:"ssim"`
}

// report sums the run up; before are the rows that an earlier one wrote.
func (r *run) report(before int64) Report {
	o, enc := r.options, r.setup.enc
	rows := before + r.rows
	rep := Report{
		Out: o.Out, Rows: rows, Latent: enc.latent, DType: o.Store.DType, Layout: o.Store.Layout,
		Format: o.Store.Format, Compression: o.Store.Compression, Provider: enc.session.Provider(), Batch: r.setup.batch,
		BytesRaw: rows * int64(enc.image.Values()), BytesSource: r.info.SourceBytes, BytesOut: r.bytesOut(),
		ValuesRatio: float64(enc.image.Values()) / float64(enc.latent.Values()), SampleRows: r.sum.Rows,
		Dataset: r.info.Name, Split: r.info.Split, Fingerprint: r.info.Fingerprint, Skipped: r.info.Skipped,
		Resumed: before, TestOpenings: r.openings, Notes: append(r.notes, r.info.Notes...),
	}
	if r.shards != nil {
		rep.Shards = len(r.shards.Manifest().Shards)
	}
	rep.BitsPerPixel = 8 * float64(rep.BytesOut) / (float64(rows) * float64(enc.image.H*enc.image.W))
	if n := float64(r.sum.Rows); n > 0 {
		rep.BytesPNG = int64(float64(r.sum.PNG) / n * float64(rows))
		if r.setup.dec != nil {
			rep.Quality = quality(r.sum)
		}
	}
	rep.Seconds = time.Since(r.start).Seconds()
	if rep.Seconds > 0 {
		rep.ImagesPerSec = float64(r.rows) / rep.Seconds
	}
	return rep
}

func quality(s sample) *Quality {
	mse := s.MSE / float64(s.Rows)
	return &Quality{MSE: mse, PSNR: metric.PSNR(mse), SSIM: s.SSIM / float64(s.Rows)}
}

// bytesOut is the size of what lies at Out.
func (r *run) bytesOut() (n int64) {
	if r.shards == nil {
		return r.written.Load()
	}
	for _, s := range r.shards.Manifest().Shards {
		n += s.Bytes
	}
	return n
}
